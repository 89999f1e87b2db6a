/** The last items of a source may be fewer than `checkpointInterval`: they are done once they are noted, like all others. */
import { createMemoryStreamStore } from '@perennial/core';
import { expect, it } from 'vitest';

import { programOf } from './matrix/programs.ts';
import { simulate } from './matrix/simulate.ts';

it('keeps what a short last part of a step over items wrote when the worker dies before the result is noted', async () => {
  const { wrong, happened } = await simulate({
    store: createMemoryStreamStore(),
    program: programOf('for-each'),
    runId: 'short-part',
    leaseMs: 30,
    mishaps: [{ point: { boundary: 'note: result', nth: 1, when: 'before' }, action: 'die' }],
  });
  expect(happened).toHaveLength(1);
  expect(wrong).toEqual([]);
});
