import { expect, it } from 'vitest';

import * as node from '../src/index.ts';

it('exports what the guide names, and nothing else', () => {
  expect(Object.keys(node)).toEqual(['createStreamListener']);
});
