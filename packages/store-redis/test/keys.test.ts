import fc from 'fast-check';
import { expect, test } from 'vitest';

import { assertPrefix, createKeyNames, INDEX_SHARDS } from '../src/keys.ts';

const names = createKeyNames('app');

/** The part of a key that a Cluster hashes: between the first brace and the next closing one, unless that is empty. */
function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open === -1 || close <= open + 1 ? key : key.slice(open + 1, close);
}

test('names the keys of a stream', () => {
  expect(names.of('runs/r42/tokens')).toEqual({
    meta: 'app:{runs/r42/tokens}:meta',
    log: 'app:{runs/r42/tokens}:log',
    forks: 'app:{runs/r42/tokens}:forks',
    channel: 'app:{runs/r42/tokens}:log',
    index: expect.stringMatching(/^app:index:\{\d+\}$/),
  });
});

test('keys and channel of a stream share a hash tag, and no two streams share a key', () => {
  const id = fc.string({ unit: fc.constantFrom('a', '{', '}', '%', '2', '5', '7', 'D', ':', '/'), minLength: 1 });
  fc.assert(
    fc.property(id, id, (a, b) => {
      const { meta, log, forks, channel } = names.of(a);
      expect(hashTag(meta)).not.toBe(meta);
      for (const other of [log, forks, channel]) expect(hashTag(other)).toBe(hashTag(meta));
      expect(names.of(b).meta === meta).toBe(a === b);
    }),
  );
});

test('spreads ids over the shards of the index, always in the same way', () => {
  const used = new Set(Array.from({ length: 500 }, (_, n) => names.of(`runs/${n}/tokens`).index));
  expect(used.size).toBe(INDEX_SHARDS);
  expect([...used].every((key) => names.indexes.includes(key))).toBe(true);
  expect(createKeyNames('app').of('runs/7/tokens').index).toBe(names.of('runs/7/tokens').index);
});

test('refuses prefixes that would move the hash tag', () => {
  for (const prefix of ['', '{a}', 'a}', '\ud800', 5, null]) {
    expect(() => assertPrefix(prefix)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'prefix' }),
    );
  }
  assertPrefix('app:eu-1');
});
