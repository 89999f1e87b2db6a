import { createMemoryStreamStore, type NewRecord, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();

const json = fc.oneof(
  fc.constantFrom('1', '"\ufffd"', '"a\ufffdb"', '"\u00ff\u20ac\u{1f600}"', '[\n1,\t2]', '""'),
  fc.nat({ max: 9_000 }).map((length) => JSON.stringify('x'.repeat(length))),
);
const bytes = fc.oneof(
  fc.constantFrom(new Uint8Array(), new Uint8Array([255, 10, 59]), new Uint8Array([0xef, 0xbf, 0xbd])),
  fc.nat({ max: 9_000 }).map((length) => new Uint8Array(length).fill(255)),
);
const supersede = fc.record({
  kind: fc.constant('supersede' as const),
  step: fc.constantFrom('s', 'ü;\n'),
  belowAttempt: fc.integer({ min: 2, max: 3 }),
});
const batches = (data: fc.Arbitrary<string | Uint8Array>): fc.Arbitrary<readonly (readonly NewRecord[])[]> => {
  const plain = fc.record({ data });
  const ofStep = fc.record({ data, step: fc.constantFrom('s', 't'), attempt: fc.integer({ min: 1, max: 2 }) });
  return fc.array(
    fc.oneof(
      fc.array(plain, { minLength: 1, maxLength: 6 }),
      fc.array(plain, { minLength: 120, maxLength: 140 }),
      fc.array(fc.oneof(plain, ofStep, supersede), { minLength: 1, maxLength: 6 }),
      supersede.chain((same) => fc.array(fc.constant(same), { minLength: 1, maxLength: 300 })),
    ),
    { minLength: 1, maxLength: 4 },
  );
};
const page = fc.record({
  from: fc.nat({ max: 300 }),
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 100, max: 400 })),
  maxBytes: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 60_000 }), fc.constant(10_000_000)),
});
const program = fc.boolean().chain((isJson) =>
  fc.record({
    contentType: fc.constant(isJson ? 'application/json' : 'application/octet-stream'),
    batches: batches(isJson ? json : bytes),
    pages: fc.array(page, { minLength: 3, maxLength: 10 }),
    forkAt: fc.nat({ max: 250 }),
  }),
);

test('pages are those of the memory store, wherever they begin and end in the entries', async () => {
  let runs = 0;
  const now = (): number => 1_764_000_000_000;
  const ours = redis.open({ now });
  const reference = createMemoryStreamStore({ now });
  const pageOf = async (store: StreamStore, id: string, options: { readonly from: number }): Promise<unknown> =>
    (await store.read(id, options)).records;
  await fc.assert(
    fc.asyncProperty(program, async ({ contentType, batches: all, pages, forkAt }) => {
      const id = `run/${runs++}`;
      let seq = 0;
      for (const store of [ours, reference]) await store.create(id, { contentType });
      for (const records of all) {
        const producer = { id: 'p', epoch: 0, seq };
        seq += records.length;
        for (const store of [ours, reference]) await store.append(id, { segments: [{ records, producer }] });
      }
      const fork = { from: id, position: Math.min(forkAt, seq) };
      for (const store of [ours, reference]) await store.create(`${id}/fork`, { fork });
      for (const records of all)
        for (const store of [ours, reference]) await store.append(`${id}/fork`, { segments: [{ records }] });
      for (const options of pages)
        for (const read of [id, `${id}/fork`])
          expect(await pageOf(ours, read, options)).toEqual(await pageOf(reference, read, options));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('a small page of a large batch costs the server little', async () => {
  const store = redis.open();
  const data = JSON.stringify('x'.repeat(500));
  await store.create('s');
  await store.append('s', { segments: [{ records: Array.from({ length: 4_000 }, () => ({ data })) }] });
  const sent = async (): Promise<number> =>
    Number(/total_net_output_bytes:(\d+)/.exec(await redis.admin.info('stats'))?.[1]);
  const before = await sent();
  const { records } = await store.read('s', { from: 2_001, limit: 1 });
  expect(records.map(({ position }) => position)).toEqual([2_001]);
  expect((await sent()) - before).toBeLessThan(40_000);
});

test('a text with the byte that separates texts is refused: no JSON contains it', async () => {
  const store = redis.open();
  await store.create('separated');
  const append = (data: string) => store.append('separated', { segments: [{ records: [{ data: '1' }, { data }] }] });
  await expect(append('"\u001e"')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'data' });
  expect((await store.head('separated'))?.nextPosition).toBe(0);
  await append('"\\u001e"');
  expect((await store.read('separated', { from: 0 })).records).toMatchObject([{ data: '1' }, { data: '"\\u001e"' }]);
});

/** A stream of 1,000 numbers, of which a first page has been read. */
async function begun(id: string): Promise<StreamStore> {
  const store = redis.open();
  const records = Array.from({ length: 1_000 }, (_, i) => ({ data: String(i) }));
  await store.create(id, { records });
  expect((await store.read(id, { from: 0, limit: 100 })).records).toHaveLength(100);
  return store;
}

test('the pages behind the first are read without a script', async () => {
  const store = await begun('plain');
  await store.read('plain', { from: 100, limit: 100 });
  await redis.admin.config('RESETSTAT');
  for (let from = 200; from < 1_000; from += 100)
    expect((await store.read('plain', { from, limit: 100 })).records.map(({ position }) => position)).toEqual(
      Array.from({ length: 100 }, (_, i) => from + i),
    );
  const stats = await redis.admin.info('commandstats');
  expect(stats).toMatch(/cmdstat_xrange:calls=8,/);
  expect(stats).not.toContain('cmdstat_xrevrange');
});

test('a page of a stream that took the place of another is that stream’s', async () => {
  const store = await begun('replaced');
  await store.delete('replaced');
  await store.create('replaced', { records: Array.from({ length: 300 }, () => ({ data: '"new"' })) });
  const { records } = await store.read('replaced', { from: 100, limit: 100 });
  expect(new Set(records.map((record) => record.kind === 'data' && record.data))).toEqual(new Set(['"new"']));
  await store.delete('replaced');
  await expect(store.read('replaced', { from: 200, limit: 100 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a log that went while it was read is reported', async () => {
  const store = await begun('gone');
  const [key = ''] = await redis.admin.keys('*{gone}:log');
  expect(await redis.admin.del(key)).toBe(1);
  await expect(store.read('gone', { from: 100, limit: 100 })).rejects.toMatchObject({ code: 'CORRUPT' });
});

test('a page of which something else removed a part is reported', async () => {
  const store = await begun('holed');
  const [key = ''] = await redis.admin.keys('*{holed}:log');
  expect(await redis.admin.xdel(key, '0-501')).toBe(1);
  await expect(store.read('holed', { from: 100, limit: 800 })).rejects.toMatchObject({ code: 'CORRUPT' });
});

test.each(['1;0;;\n', '1;2;;\n"1"', '1;999999999999;;{"s":"s","x":2}\n', '1;1;;{\n"1"', 'no header', ''])(
  'an entry that reads %j is reported, and keeps the server no longer than others',
  async (entry) => {
    const prefix = freshPrefix();
    const store = redis.open({ prefix, commandTimeoutMs: 500, retry: { timeoutMs: 0 } });
    await store.create('s', { records: [{ data: '1' }, { data: '2' }] });
    const log = `${prefix}:{s}:log`;
    await redis.admin.del(log);
    await redis.admin.xadd(log, '0-1', 'r', entry);
    await expect(store.read('s', { from: 0 })).rejects.toMatchObject({ code: 'CORRUPT' });
  },
);

test('of a large page only the beginning passes through the script', async () => {
  const store = redis.open();
  await store.create('large');
  const data = JSON.stringify('x'.repeat(20_000));
  await store.append('large', { segments: [{ records: [{ data: '"small"' }] }] });
  for (let n = 0; n < 40; n++) await store.append('large', { segments: [{ records: [{ data }] }] });

  const monitor = await redis.admin.monitor();
  const entries = { script: 0, plain: 0 };
  const done = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, [command = '', , , , , count]: string[], source: string) => {
      if (command.toLowerCase() === 'echo') resolve();
      if (command.toLowerCase() === 'xrange') entries[source === 'lua' ? 'script' : 'plain'] += Number(count);
    });
  });
  const { records, head } = await store.read('large', { from: 0, limit: 1_000 });
  await redis.admin.echo('done');
  await done;
  monitor.disconnect();

  expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 41 }, (_, position) => position));
  expect(head.nextPosition).toBe(41);
  expect(entries.script).toBeLessThan(6);
  expect(entries.plain).toBeGreaterThan(35);
});
