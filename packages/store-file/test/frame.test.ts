import type { StreamRecord } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeBatch, type FramePlace } from '../src/batch-encoder.ts';
import { type Change, NO_CHANGE } from '../src/change.ts';
import { FrameCursor, hasLaterCommit, type ReadBytes } from '../src/frame-cursor.ts';
import { decodeMeta, decodeRecords } from '../src/frame-payload.ts';
import { FRAME_HEADER_BYTES } from '../src/frame.ts';
import { decodeTailMark, encodeTailMark } from '../src/tail-mark.ts';

const PLACE: FramePlace = { salt: 0xabcd_1234, offset: 0, position: 0, syncedBytes: 0, generation: 3 };

const reading =
  (bytes: Buffer): ReadBytes =>
  async (target, at) =>
    bytes.copy(target, 0, at, at + target.length);

/** Walks over a log; the records of all valid frames, and how the walk ended. */
async function walk(
  bytes: Buffer,
  { salt = PLACE.salt, isText = true, chunkBytes = 64 } = {},
): Promise<{ records: StreamRecord[]; end: string; at: number }> {
  const cursor = new FrameCursor({ read: reading(bytes), salt, start: 0, end: bytes.length, chunkBytes });
  const records: StreamRecord[] = [];
  for (;;) {
    const step = await cursor.next(() => true);
    if (step.kind !== 'frame') return { records, end: step.kind, at: step.offset };
    const { firstPosition, count } = step.header;
    if (!step.payload) throw new Error('The payload was wanted.');
    const page = { limit: Infinity, maxBytes: Infinity, records, bytes: 0 };
    decodeRecords(step.payload, { firstPosition, count, isText, from: 0 }, page);
  }
}

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => text.isWellFormed());
const counter = fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
const producer = fc.record({ id: name, epoch: counter, seq: counter });
const step = fc.record({ step: name, attempt: fc.nat() });

function recordsOf(data: fc.Arbitrary<string | Uint8Array>): fc.Arbitrary<readonly StreamRecord[]> {
  const dataRecord = fc
    .tuple(data, counter, fc.option(producer), fc.option(step))
    .map(([payload, timestamp, by, of]) => ({
      kind: 'data' as const,
      position: 0,
      data: payload,
      timestamp,
      ...(by && { producer: by }),
      ...of,
    }));
  const supersede = fc.tuple(counter, fc.option(producer), name, counter).map(([timestamp, by, of, belowAttempt]) => ({
    kind: 'supersede' as const,
    position: 0,
    timestamp,
    step: of,
    belowAttempt,
    ...(by && { producer: by }),
  }));
  return fc
    .array(fc.oneof({ weight: 5, arbitrary: dataRecord }, supersede), { maxLength: 12 })
    .map((records) => records.map((record, position) => ({ ...record, position })));
}

function changeOf(records: readonly StreamRecord[]): Change {
  return { ...NO_CHANGE, records, bytes: 1 };
}

describe('a frame', () => {
  it('gives records back as they were put in', async () => {
    await fc.assert(
      fc.asyncProperty(recordsOf(fc.string({ unit: 'binary' }).map((text) => text.toWellFormed())), async (records) => {
        const [frame] = encodeBatch([changeOf(records)], PLACE);
        expect(await walk(frame?.frame ?? Buffer.alloc(0))).toEqual({ records, end: 'end', at: frame?.frame.length });
      }),
    );
  });

  it('gives bytes back as they were put in', async () => {
    await fc.assert(
      fc.asyncProperty(recordsOf(fc.uint8Array()), async (records) => {
        const [frame] = encodeBatch([changeOf(records)], PLACE);
        expect((await walk(frame?.frame ?? Buffer.alloc(0), { isText: false })).records).toEqual(records);
      }),
    );
  });

  it('says once what consecutive records have in common', () => {
    const records = Array.from({ length: 1_000 }, (_, n) => ({
      kind: 'data' as const,
      position: n,
      data: '1',
      timestamp: 7,
      producer: { id: 'writer', epoch: 0, seq: n },
    }));
    const [frame] = encodeBatch(
      records.map((record) => changeOf([record])),
      PLACE,
    );
    // One byte of data and four of length each, and one run for all of them.
    expect(frame?.frame.length).toBeLessThan(5_200);
  });

  it('keeps the last of what several changes change', () => {
    const changes: Change[] = [
      { ...NO_CHANGE, token: 3, nonce: 'n', streamSeq: 'a', producers: [['p', { epoch: 0, nextSeq: 1 }]] },
      {
        ...NO_CHANGE,
        lease: { durationMs: 5 },
        producers: [
          ['p', { epoch: 0, nextSeq: 2 }],
          ['q', { epoch: 1, nextSeq: 1 }],
        ],
      },
      {
        ...NO_CHANGE,
        token: 4,
        end: { outcome: 'cancelled' },
        cancel: { requestedAt: 9 },
        lease: { durationMs: null },
      },
    ];
    const [frame] = encodeBatch(changes, PLACE);
    expect(decodeMeta(frame?.frame.subarray(FRAME_HEADER_BYTES) ?? Buffer.alloc(0), 0)).toEqual({
      token: 4,
      nonce: null,
      streamSeq: 'a',
      leaseMs: null,
      end: { outcome: 'cancelled' },
      cancel: { requestedAt: 9 },
      producers: [
        ['p', 0, 2],
        ['q', 1, 1],
      ],
    });
  });
});

describe('a log', () => {
  const log = encodeLog(4);

  it(
    'with any bit flipped gives what is before the flip, and says that the rest is damaged',
    { timeout: 60_000 },
    async () => {
      const { records } = await walk(log.bytes);
      expect(records).toHaveLength(8);
      for (let bit = 0; bit < log.bytes.length * 8; bit++) {
        const at = bit >> 3;
        log.bytes[at] = (log.bytes[at] ?? 0) ^ (1 << (bit & 7));
        const frame = log.offsets.findLastIndex((offset) => offset <= at);
        expect(await walk(log.bytes), `bit ${bit}`).toEqual({
          records: records.slice(0, frame * 2),
          end: 'damaged',
          at: log.offsets[frame],
        });
        log.bytes[at] = (log.bytes[at] ?? 0) ^ (1 << (bit & 7));
      }
    },
  );

  it('cut anywhere gives the whole frames before the cut', async () => {
    const { records } = await walk(log.bytes);
    for (let size = 0; size < log.bytes.length; size++) {
      const whole = log.offsets.filter((_, n) => (log.offsets[n + 1] ?? log.bytes.length) <= size).length;
      const cut = await walk(log.bytes.subarray(0, size));
      expect(cut.records).toEqual(records.slice(0, whole * 2));
      expect(cut.end).toBe(log.offsets.includes(size) ? 'end' : 'cut');
    }
  });

  it('does not take the frames of another log, or of another place, for its own', async () => {
    expect((await walk(log.bytes, { salt: 1 })).end).toBe('damaged');
    const moved = Buffer.concat([log.bytes.subarray(log.offsets[1]), log.bytes]);
    expect((await walk(moved)).end).toBe('damaged');
  });

  it('is searched for later commits on both sides of a chunk border', async () => {
    const [frame] = encodeBatch([changeOf([{ kind: 'data', position: 0, data: '1', timestamp: 1 }])], {
      ...PLACE,
      offset: 262_144 - 20,
      syncedBytes: 500,
    });
    const bytes = Buffer.concat([Buffer.from('PnLg'.repeat(65_531)), frame?.frame ?? Buffer.alloc(0)]);
    const search = (offset: number) =>
      hasLaterCommit({ read: reading(bytes), salt: PLACE.salt, offset, end: bytes.length });
    expect(await search(0)).toBe(true);
    expect(await search(499)).toBe(true);
    expect(await search(500)).toBe(false);
  });
});

describe('a tail mark', () => {
  const mark = {
    salt: 1,
    generation: 2,
    visibleBytes: 2 ** 40,
    durableBytes: 3,
    beat: 4,
    touchedAt: 1_764_000_000_000.5,
  };

  it('comes back as it was written', () => {
    expect(decodeTailMark(encodeTailMark(mark))).toEqual(mark);
  });

  it('that is cut or damaged is none', () => {
    const bytes = encodeTailMark(mark);
    for (let size = 0; size < bytes.length; size++) expect(decodeTailMark(bytes.subarray(0, size))).toBeNull();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeTailMark(flipped)).toBeNull();
    }
  });
});

/** A log of `count` commits with two records each. */
function encodeLog(count: number): { readonly bytes: Buffer; readonly offsets: readonly number[] } {
  const frames: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (let n = 0; n < count; n++) {
    const records = [0, 1].map((i) => ({
      kind: 'data' as const,
      position: n * 2 + i,
      data: JSON.stringify(`\u00e9${n}`),
      timestamp: 5,
    }));
    const [frame] = encodeBatch([changeOf(records)], { ...PLACE, offset, position: n * 2, syncedBytes: offset });
    if (!frame) throw new Error('A batch has a frame.');
    frames.push(frame.frame);
    offsets.push(offset);
    offset += frame.frame.length;
  }
  return { bytes: Buffer.concat(frames), offsets };
}
