/** A cancel that comes while the next attempt of a step is being prepared: the attempt's note and its retraction. */
import { createMemoryStreamStore } from '@perennial/core';
import { expect, it } from 'vitest';

import type { Boundary } from './matrix/boundaries.ts';
import { programOf } from './matrix/programs.ts';
import { formatMishap, type Mishap, simulate } from './matrix/simulate.ts';

const deaths: readonly Mishap[] = [1, 2, 3].map((nth) => ({
  point: { boundary: 'write of a step', nth, when: 'after' },
  action: 'die',
}));
const retractions: readonly Mishap[] = [
  { point: { boundary: 'retraction', nth: 1, when: 'before' }, action: 'die' },
  { point: { boundary: 'retraction', nth: 1, when: 'after' }, action: 'die' },
];
const cancels: readonly Mishap[] = (
  ['takeover: journal read', 'takeover: stream fenced', 'note: attempt begins', 'retraction'] satisfies Boundary[]
).flatMap((boundary) =>
  (['before', 'after'] as const).map((when) => ({ point: { boundary, nth: 1, when }, action: 'cancel' as const })),
);
const cases = ['step-tokens', 'parallel-steps', 'failed-caught', 'for-each'].flatMap((program) =>
  deaths.flatMap((death) =>
    [[], ...retractions.map((retraction) => [retraction])].flatMap((between) =>
      cancels.map((cancel) => ({ program, mishaps: [death, ...between, cancel] })),
    ),
  ),
);

it('ends the run as cancelled, and each step shows its last attempt', { timeout: 300_000 }, async () => {
  const queue = [...cases];
  const wrong: string[] = [];
  let cancelled = 0;
  async function work(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const given = { store: createMemoryStreamStore(), program: programOf(next.program), runId: 'r', leaseMs: 30 };
      const report = await simulate({ ...given, runId: `r${queue.length}`, mishaps: next.mishaps, readers: false });
      if (report.happened.some(({ action }) => action === 'cancel')) cancelled++;
      const what = `${next.program} ${next.mishaps.map(formatMishap).join(' | ')}`;
      wrong.push(...report.wrong.map((finding) => `${what}: ${finding}`));
    }
  }
  await Promise.all(Array.from({ length: 24 }, work));
  expect(wrong).toEqual([]);
  expect(cancelled).toBeGreaterThan(cases.length / 2);
});
