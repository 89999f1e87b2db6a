/**
 * The field that counts the records of a stream, whose name tells the usual append of its state (`usualCounter` in `lua/include/head.lua`):
 * after any program there is one such field, under the name that the rest of the hash asks for, and the head is the memory store's.
 */
import { createMemoryStreamStore, type StreamHead, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { createKeyNames } from '../../src/keys.ts';
import { countingPort } from '../support/answers.ts';
import { singleServer } from '../support/single-server.ts';

const redis = singleServer();
const ONE = [{ data: '1' }];

type Step = (store: StreamStore, id: string, n: number) => Promise<unknown>;

/** What may happen to a stream. Each may be refused, by both stores or by none. */
const STEPS: Readonly<Record<string, Step>> = {
  append: (store, id) => store.append(id, { segments: [{ records: ONE }] }),
  several: (store, id) => store.append(id, { segments: [{ records: [...ONE, ...ONE] }] }),
  fenced: (store, id) => store.append(id, { token: 1, segments: [{ records: ONE }] }),
  produce: (store, id, n) =>
    store.append(id, { segments: [{ records: ONE, producer: { id: 'p', epoch: 0, seq: n % 2 } }] }),
  goOn: async (store, id) => {
    const next = (await store.producer(id, 'p'))?.nextSeq ?? 0;
    const append = (seq: number) =>
      store.append(id, { segments: [{ records: ONE, producer: { id: 'p', epoch: 0, seq } }] });
    await append(next);
    await append(next + 1);
    return append(next + 2);
  },
  end: (store, id) => store.append(id, { segments: [{ records: [], end: { outcome: 'completed' } }] }),
  cancel: (store, id) => store.mark(id, { type: 'cancel' }),
  lease: (store, id) => store.mark(id, { type: 'lease', durationMs: 60_000 }),
  release: (store, id) => store.mark(id, { type: 'lease', durationMs: null }),
  fence: (store, id, n) => store.mark(id, { type: 'fence', token: n % 3, nonce: `nonce ${n}` }),
  find: (store, id) => store.create(id),
  raise: (store, id, n) => store.create(id, { token: n % 3 }),
  fork: (store, id, n) => store.create(`${id}/fork/${n % 2}`, { fork: { from: id } }),
  appendToFork: (store, id, n) => store.append(`${id}/fork/${n % 2}`, { segments: [{ records: ONE }] }),
  deleteFork: (store, id, n) => store.delete(`${id}/fork/${n % 2}`),
  delete: (store, id) => store.delete(id),
};

const program = fc.record({
  options: fc.constantFrom(
    {},
    { records: ONE },
    { records: ONE, leaseMs: 60_000 },
    { records: ONE, token: 1 },
    { records: ONE, ttlMs: 3_600_000 },
    { records: [{ data: new Uint8Array([49]) }], contentType: 'text/plain' },
  ),
  steps: fc.array(
    fc.record({
      kind: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('append', 'goOn', 'lease') },
        { weight: 3, arbitrary: fc.constantFrom(...Object.keys(STEPS)) },
      ),
      n: fc.nat({ max: 5 }),
      other: fc.boolean(),
    }),
    { minLength: 6, maxLength: 14 },
  ),
});

/** The name that the field has to have, spelt out once more. */
function expectedCounter(fields: Readonly<Record<string, string>>, count: string | undefined): string {
  const { i, k, f, m, e, t, l, cr, x } = fields;
  const unusual = f !== '0' || [e, t, cr, x].some((field) => field !== undefined);
  if (count === '0' || m !== 'application/json' || unusual) return 'n';
  return `n;${i};${k}${l === undefined ? '' : `;${l}`}`;
}

async function expectCounter(prefix: string, store: StreamStore, id: string): Promise<void> {
  const fields = await redis.admin.hgetall(createKeyNames(prefix).of(id).meta);
  if (fields['i'] === undefined) return;
  const counters = Object.keys(fields).filter((name) => name === 'n' || name.startsWith('n;'));
  const count = fields[counters[0] ?? ''];
  expect(counters).toEqual([expectedCounter(fields, count)]);
  const head = await store.head(id);
  expect(count).toBe(head ? String(head.nextPosition) : count);
}

/** The head that a call answers with, or why it was refused. */
const settled = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (answer) => comparable((answer as { readonly head?: StreamHead } | null)?.head),
    (error: { readonly code: string }) => error.code,
  );

/** Origins name the incarnation, which is each store's own. */
const comparable = (head: StreamHead | null | undefined): unknown =>
  head ? { ...head, incarnation: '', fork: null } : head;

test('one field counts, under the name that the state of the stream asks for', async () => {
  const { port, answers } = countingPort(redis.admin);
  const now = (): number => 1_764_000_000_000;
  const prefix = 'counter';
  const ours = redis.open({ client: port, prefix, now });
  const other = redis.open({ prefix, now });
  // A look of ours would tell it what the other did.
  const observer = redis.open({ prefix, now });
  const reference = createMemoryStreamStore({ now });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(program, async ({ options, steps }) => {
      const id = `run/${runs++}`;
      for (const store of [ours, reference]) await store.create(id, options);
      await expectCounter(prefix, observer, id);
      for (const { kind, n, other: byOther } of steps) {
        const step = STEPS[kind] as Step;
        const actual = await settled(step(byOther ? other : ours, id, n));
        expect([kind, actual]).toEqual([kind, await settled(step(reference, id, n))]);
        for (const stream of [id, `${id}/fork/0`, `${id}/fork/1`]) {
          await expectCounter(prefix, observer, stream);
          expect(comparable(await observer.head(stream))).toEqual(comparable(await reference.head(stream)));
        }
      }
    }),
    { numRuns: 350 },
  );
  expect(Object.entries(answers).filter(([, count]) => count < 20)).toEqual([]);
}, 60_000);

test('a trimmed stream counts under the name of unusual ones', async () => {
  const prefix = 'counter:trimmed';
  const store = redis.open({ prefix, maxRecords: 2 });
  await store.create('s');
  for (let n = 0; n < 5; n++) {
    await store.append('s', { segments: [{ records: ONE }] });
    await expectCounter(prefix, store, 's');
  }
  const { port, answers } = countingPort(redis.admin);
  const other = redis.open({ prefix, client: port });
  await other.head('s');
  expect((await other.append('s', { segments: [{ records: ONE }] })).head).toMatchObject({
    firstPosition: 3,
    nextPosition: 6,
  });
  expect(answers).toEqual({ usual: 0, produced: 0, refused: 0, general: 1 });
  await expectCounter(prefix, store, 's');
});

test('what the usual way cannot write is not counted', async () => {
  const prefix = 'counter:refused';
  const store = redis.open({ prefix });
  await store.create('s', { records: ONE });
  const { log, meta } = createKeyNames(prefix).of('s');
  const before = await redis.admin.hgetall(meta);
  const append = () => store.append('s', { segments: [{ records: ONE }] });
  // Something else under the key, nothing under it, and a log that is ahead of its head.
  await redis.admin.set(log, 'else');
  await expect(append()).rejects.toMatchObject({ code: 'CORRUPT' });
  await redis.admin.del(log);
  await expect(append()).rejects.toMatchObject({ code: 'CORRUPT' });
  await redis.admin.xadd(log, '0-9', 'r', '1\n1');
  await expect(append()).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(await redis.admin.hgetall(meta)).toEqual(before);
  // Without the hash, no count may bring it back.
  await redis.admin.del(meta);
  await expect(append()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await redis.admin.exists(meta)).toBe(0);
});
