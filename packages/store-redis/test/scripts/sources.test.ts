import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { generate, target } from '../../scripts/inline-lua.mjs';
import type { RedisScript } from '../../src/scripts/redis-script.ts';

const generated = generate();
const scripts = [...generated.keys()].filter((file) => !file.startsWith('include/'));
const sources = (
  await Promise.all(
    scripts.map(
      async (file): Promise<Record<string, RedisScript>> =>
        import(`../../src/scripts/generated/${file.slice(0, -'.ts'.length)}.ts`),
    ),
  )
).flatMap((module) => Object.values(module));

test('the generated sources are those of the Lua files', () => {
  const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.toSorted()).toEqual([...generated.keys()].toSorted());
  for (const [file, text] of generated) expect(readFileSync(join(target, file), 'utf8')).toBe(text);
  expect(sources).toHaveLength(scripts.length);
});

test('every hash is that of its source', () => {
  for (const { sha, source } of sources) expect(createHash('sha1').update(source).digest('hex')).toBe(sha);
});

test('every Lua file says what it takes and returns', () => {
  for (const { name } of sources) {
    const file = readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8');
    const header = file.split('\n-- @include')[0] ?? '';
    for (const part of ['-- KEYS:', '-- ARGV:', '-- Returns', 'Negative codes:']) expect(header).toContain(part);
  }
});
