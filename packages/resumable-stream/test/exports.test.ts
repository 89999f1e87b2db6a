import { expect, it } from 'vitest';

import * as exported from '../src/index.ts';

it('exports what the guide names, and nothing else', () => {
  expect(Object.keys(exported)).toEqual(['createResumableStreamContext']);
});
