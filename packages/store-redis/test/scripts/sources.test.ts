import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { generate, target } from '../../scripts/inline-lua.mjs';
import * as sources from '../../src/scripts/sources.generated.ts';

test('the generated sources are those of the Lua files', () => {
  expect(readFileSync(target, 'utf8')).toBe(generate());
});

test('every hash is that of its source', () => {
  for (const { sha, source } of Object.values(sources))
    expect(createHash('sha1').update(source).digest('hex')).toBe(sha);
});

test('every Lua file says what it takes and returns', () => {
  for (const { name } of Object.values(sources)) {
    const file = readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8');
    const header = file.split('\n-- @include')[0] ?? '';
    for (const part of ['-- KEYS:', '-- ARGV:', '-- Returns', 'Negative codes:']) expect(header).toContain(part);
  }
});
