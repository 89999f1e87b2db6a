/** Which appends the usual scripts take, and what their answers are; that they decide rightly, decide-append.test.ts checks. */
import type { AppendResult, StreamStore } from '@perennial/core';
import { describe, expect, test } from 'vitest';

import { createKeyNames } from '../../src/keys.ts';
import { countingPort } from '../support/answers.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();
const numbered = (count: number): { readonly data: string }[] =>
  Array.from({ length: count }, (_, n) => ({ data: String(n) }));

test('appends of an open stream take the usual way, from the second of their producer on', async () => {
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ client: port });
  await store.create('s', { records: numbered(1) });
  for (let seq = 0; seq < 10; seq++) {
    await store.append('s', { segments: [{ records: numbered(1) }] });
    await store.append('s', { segments: [{ records: numbered(1), producer: { id: 'p', epoch: 0, seq } }] });
  }
  expect(answers).toEqual({ usual: 10, produced: 9, refused: 0, general: 1 });
  const { records, head } = await store.read('s', { from: 0 });
  expect(records.map(({ producer }) => producer?.seq).filter((seq) => seq !== undefined)).toEqual(
    Array.from({ length: 10 }, (_, seq) => seq),
  );
  expect(head.nextPosition).toBe(21);
});

test('appends under a lease take the usual way until somebody else renews it', async () => {
  const prefix = freshPrefix();
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ prefix, client: port });
  const { head: created } = await store.create('s', { leaseMs: 60_000, records: numbered(3) });
  const append = () => store.append('s', { segments: [{ records: numbered(2) }] });
  expect((await append()).head).toEqual({ ...created, nextPosition: 5 });
  const renewed = await store.mark('s', { type: 'lease' });
  const { segments, head } = await append();
  expect(segments).toEqual([{ status: 'ok', position: 5, count: 2, skipped: 0 }]);
  expect(head).toEqual({ ...renewed, nextPosition: 7 });
  expect(head.lease).toEqual({ durationMs: 60_000, beat: 1 });
  expect(answers).toEqual({ usual: 2, produced: 0, refused: 0, general: 0 });
  await redis.open({ prefix }).mark('s', { type: 'lease' });
  expect((await append()).head).toEqual({ ...head, nextPosition: 9, lease: { durationMs: 60_000, beat: 2 } });
  await append();
  expect(answers).toEqual({ usual: 3, produced: 0, refused: 1, general: 1 });
  expect((await store.head('s'))?.nextPosition).toBe(11);
});

test('appends to a trimmed stream take the general way', async () => {
  const prefix = freshPrefix();
  const trimming = redis.open({ prefix, maxRecords: 3 });
  await trimming.create('s');
  for (let n = 0; n < 5; n++) await trimming.append('s', { segments: [{ records: numbered(1) }] });
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ prefix, client: port });
  const before = await store.head('s');
  const { segments, head } = await store.append('s', { segments: [{ records: numbered(2) }] });
  expect(answers).toEqual({ usual: 0, produced: 0, refused: 0, general: 1 });
  expect(segments).toEqual([{ status: 'ok', position: 5, count: 2, skipped: 0 }]);
  expect(head).toEqual({ ...before, nextPosition: 7 });
  expect(head).toMatchObject({ firstPosition: 2 });
  expect(await store.head('s')).toEqual(head);
});

test('appends of producers with any id, from any process', async () => {
  const prefix = freshPrefix();
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ prefix, client: port });
  await store.create('s', { records: numbered(1) });
  const ids = ['a,b\u20ac;{}', "p'1 %", 'quo"te', 'line\nfeed', 'back\\slash'];
  for (const id of ids) {
    for (const seq of [0, 1, 3])
      await store.append('s', { segments: [{ records: numbered(seq + 1), producer: { id, epoch: 7, seq } }] });
    expect(await store.producer('s', id)).toEqual({ epoch: 7, nextSeq: 7 });
  }
  const { records } = await redis.open({ prefix }).read('s', { from: 1 });
  const expected = ids.flatMap((id) => [0, 1, 2, 3, 4, 5, 6].map((seq) => ({ id, epoch: 7, seq })));
  expect(records.map(({ producer }) => producer)).toEqual(expected);
  // What JSON has to escape takes the general way.
  expect(answers).toEqual({ usual: 0, produced: 4, refused: 0, general: 11 });
});

test('a usual append is one entry, and what does not fit is split', async () => {
  const { port, answers } = countingPort(redis.admin);
  const prefix = freshPrefix();
  const store = redis.open({ prefix, client: port });
  await store.create('s', { records: numbered(1) });
  const { log } = createKeyNames(prefix).of('s');
  const entriesOf = async (texts: readonly string[]): Promise<number> => {
    const before = await redis.admin.xlen(log);
    await store.append('s', { segments: [{ records: texts.map((data) => ({ data })) }] });
    return (await redis.admin.xlen(log)) - before;
  };
  const half = JSON.stringify('x'.repeat(8_190));
  expect(await entriesOf(Array<string>(128).fill('1'))).toBe(1);
  expect(await entriesOf([half, half])).toBe(1);
  expect(await entriesOf([JSON.stringify('x'.repeat(20_000))])).toBe(1);
  expect(answers).toEqual({ usual: 3, produced: 0, refused: 0, general: 0 });
  expect(await entriesOf(Array<string>(129).fill('1'))).toBe(2);
  expect(await entriesOf([half, half, '1'])).toBe(2);
  expect(answers).toEqual({ usual: 3, produced: 0, refused: 0, general: 2 });
  // In bytes, not in UTF-16 code units.
  const wide = JSON.stringify('\u20ac'.repeat(2_730));
  expect(await entriesOf([wide, wide])).toBe(1);
  expect(await entriesOf([wide, wide, '1'])).toBe(2);
  expect(answers).toEqual({ usual: 4, produced: 0, refused: 0, general: 3 });
});

test('a usual append to a stream that lost its log is refused', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix });
  await store.create('s', { records: numbered(1) });
  await redis.admin.del(createKeyNames(prefix).of('s').log);
  await expect(store.append('s', { segments: [{ records: numbered(1) }] })).rejects.toMatchObject({ code: 'CORRUPT' });
  expect((await store.head('s'))?.nextPosition).toBe(1);
});

test('acknowledged records that the server lost are noticed', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix });
  await store.create('s', { records: numbered(1) });
  const plain = { segments: [{ records: numbered(1) }] };
  for (let n = 0; n < 2; n++) await store.append('s', plain);
  const { meta, log } = createKeyNames(prefix).of('s');
  const counter = (await redis.admin.hkeys(meta)).find((field) => field.startsWith('n;')) ?? '';
  expect(await redis.admin.hget(meta, counter)).toBe('3');
  await redis.admin.hset(meta, counter, '2');
  await redis.admin.xdel(log, '0-3');
  await expect(store.append('s', plain)).rejects.toMatchObject({
    code: 'CORRUPT',
    acknowledgedPosition: 3,
    currentPosition: 2,
  });
});

describe('what somebody else did meanwhile is noticed:', () => {
  const plain = { segments: [{ records: numbered(1) }] };
  /** Appends in one process after another one did something. */
  async function appendAfter(something: (other: StreamStore) => Promise<unknown>): Promise<AppendResult> {
    const prefix = freshPrefix();
    const store = redis.open({ prefix });
    await store.create('s', { records: numbered(1) });
    await store.append('s', plain);
    await something(redis.open({ prefix }));
    return store.append('s', plain);
  }

  test('records', async () => {
    const { segments } = await appendAfter((other) => other.append('s', plain));
    expect(segments).toEqual([{ status: 'ok', position: 3, count: 1, skipped: 0 }]);
  });

  test('an end', async () => {
    const end = { outcome: 'completed' } as const;
    const { segments } = await appendAfter((other) => other.append('s', { segments: [{ records: [], end }] }));
    expect(segments).toEqual([{ status: 'closed', end }]);
  });

  test('a cancel request', async () => {
    const { head } = await appendAfter((other) => other.mark('s', { type: 'cancel', reason: 'enough' }));
    expect(head).toMatchObject({ cancel: { reason: 'enough' }, nextPosition: 3 });
  });

  test('a higher token', async () => {
    const fenced = appendAfter((other) => other.append('s', { ...plain, token: 1 }));
    await expect(fenced).rejects.toMatchObject({ code: 'FENCED' });
  });

  test('a deletion, also of a stream that is kept for its fork', async () => {
    await expect(appendAfter((other) => other.delete('s'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const kept = appendAfter(async (other) => {
      await other.create('fork', { fork: { from: 's' } });
      await other.delete('s');
    });
    await expect(kept).rejects.toMatchObject({ code: 'NOT_FOUND', retained: true });
  });

  test('another stream of the same id', async () => {
    const { head } = await appendAfter(async (other) => {
      await other.delete('s');
      await other.create('s', { owner: 'somebody', records: numbered(5) });
    });
    expect(head).toMatchObject({ owner: 'somebody', nextPosition: 6 });
  });

  test('another stream of the same id with bytes', async () => {
    const { segments } = await appendAfter(async (other) => {
      await other.delete('s');
      await other.create('s', { contentType: 'text/plain', records: [{ data: new Uint8Array([49]) }] });
    });
    expect(segments).toEqual([{ status: 'content-type', contentType: 'text/plain' }]);
  });
});

test('JSON does not go into a stream of bytes', async () => {
  const store = redis.open();
  await store.create('s', { contentType: 'text/plain', records: [{ data: new Uint8Array([49]) }] });
  const { segments } = await store.append('s', { segments: [{ records: numbered(1) }] });
  expect(segments).toEqual([{ status: 'content-type', contentType: 'text/plain' }]);
});

test('an append that cannot be sent is rejected, and the next one goes its way', async () => {
  let isBroken = false;
  const now = (): number => {
    if (isBroken) throw new Error('no clock');
    return 1_764_000_000_000;
  };
  const store = redis.open({ now });
  await store.create('s');
  isBroken = true;
  await expect(store.append('s', { segments: [{ records: numbered(1) }] })).rejects.toThrow('no clock');
  isBroken = false;
  const { segments } = await store.append('s', { segments: [{ records: numbered(1) }] });
  expect(segments).toEqual([{ status: 'ok', position: 0, count: 1, skipped: 0 }]);
});

test.each([-1, Number.NaN])('an append at a time of %s is refused, and counts nothing', async (wrong) => {
  let time = 1_764_000_000_000;
  const store = redis.open({ now: () => time });
  await store.create('s', { records: numbered(1) });
  time = wrong;
  await expect(store.append('s', { segments: [{ records: numbered(1) }] })).rejects.toMatchObject({
    code: 'STORE_ERROR',
  });
  time = 1_764_000_000_000;
  const { segments } = await store.append('s', { segments: [{ records: numbered(1) }] });
  expect(segments).toEqual([{ status: 'ok', position: 1, count: 1, skipped: 0 }]);
  expect((await store.read('s', { from: 0 })).records).toHaveLength(2);
});

test('an append restarts a sliding ttl', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix });
  await store.create('s', { ttlMs: 3_600_000, records: numbered(1) });
  const { meta } = createKeyNames(prefix).of('s');
  await redis.admin.pexpire(meta, 1_000);
  await store.append('s', { segments: [{ records: numbered(1) }] });
  expect(await redis.admin.pttl(meta)).toBeGreaterThan(3_000_000);
});

test('a source goes on retaining what its fork reads, and a fork goes on behind its origin', async () => {
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ client: port });
  await store.create('source', { records: numbered(2) });
  await store.create('fork', { fork: { from: 'source' } });
  for (const id of ['source', 'fork']) {
    const { head } = await store.append(id, { segments: [{ records: numbered(1) }] });
    expect(head.nextPosition).toBe(3);
    const { records } = await store.read(id, { from: 0 });
    expect(records.map(({ position }) => position)).toEqual([0, 1, 2]);
  }
  // Of its forks, the head of a source shows nothing.
  expect(answers).toEqual({ usual: 0, produced: 0, refused: 1, general: 2 });
});

test('a source is asked for the usual way once, and again when its fork is gone', async () => {
  const { port, answers } = countingPort(redis.admin);
  const store = redis.open({ client: port });
  await store.create('source', { records: numbered(2) });
  await store.create('fork', { fork: { from: 'source' } });
  const append = () => store.append('source', { segments: [{ records: numbered(1) }] });
  for (let n = 0; n < 3; n++) {
    await append();
    await store.head('source');
  }
  expect(answers).toEqual({ usual: 0, produced: 0, refused: 1, general: 3 });
  await store.delete('fork');
  for (let n = 0; n < 3; n++) await append();
  expect(answers).toEqual({ usual: 2, produced: 0, refused: 1, general: 4 });
  expect((await store.head('source'))?.nextPosition).toBe(8);
});
