import { ReadableStream } from 'node:stream/web';

import {
  chunk,
  collect,
  createMemoryStreamStore,
  err,
  filter,
  flatMap,
  getStreamReader,
  map,
  ok,
  pipe,
  reduce,
  skip,
  skipWhile,
  type Source,
  StreamEndedError,
  take,
  takeWhile,
  toAsyncIterable,
} from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** An async source that counts its pulls and notices being closed. */
function counted(count = Infinity): { source: AsyncIterable<number>; pulls: number; closed: number } {
  const state = {
    pulls: 0,
    closed: 0,
    source: {
      [Symbol.asyncIterator]: () => ({
        next: async () =>
          state.pulls < count
            ? { done: false as const, value: state.pulls++ }
            : { done: true as const, value: undefined },
        return: async () => (state.closed++, { done: true as const, value: undefined }),
      }),
    },
  };
  return state;
}

async function store(...values: unknown[]): Promise<ReturnType<typeof createMemoryStreamStore>> {
  const memory = createMemoryStreamStore();
  await memory.create('s', {
    records: values.map((value) => ({ data: JSON.stringify(value) })),
    end: { outcome: 'completed' },
  });
  return memory;
}

const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const sources: [string, () => Promise<Source<number>>][] = [
  ['a reader', async () => getStreamReader<number>({ store: await store(...numbers), streamId: 's' })],
  [
    'an async iterable',
    async () =>
      (async function* () {
        yield* numbers;
      })(),
  ],
  ['a ReadableStream', async () => ReadableStream.from(numbers)],
  ['an array', async () => numbers],
  ['an iterable of promises', async () => numbers.map((n) => Promise.resolve(n)) as never],
  [
    'a foreign reader',
    async () => {
      const left = [...numbers];
      return {
        read: async () =>
          left.length > 0 ? ok(left.shift()!) : err(new StreamEndedError(10, { outcome: 'completed' })),
      };
    },
  ],
];

describe.each(sources)('over %s', (_, make) => {
  it('composes', async () => {
    const result = await collect(
      pipe(
        await make(),
        (s) => filter(s, (n) => n % 2 === 0),
        (s) => map(s, (n) => n * 2),
        (s) => take(s, 3),
      ),
    );
    expect(result).toEqual([0, 4, 8]);
  });
  it('accepts async functions', async () => {
    expect(
      await collect(
        map(
          filter(await make(), async (n) => n > 6),
          async (n) => `${n}`,
        ),
      ),
    ).toEqual(['7', '8', '9']);
  });
  it('chunks, skips, flattens and reduces', async () => {
    expect(await collect(chunk(await make(), 4))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(await collect(take(skip(await make(), 2), 3))).toEqual([2, 3, 4]);
    expect(await collect(takeWhile(await make(), (n) => n < 3))).toEqual([0, 1, 2]);
    expect(await collect(skipWhile(await make(), (n) => n < 8))).toEqual([8, 9]);
    expect(await collect(flatMap(take(await make(), 3), (n) => [n, n]))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(await reduce(await make(), (sum, n) => sum + n, 0)).toBe(45);
    expect(await reduce(await make(), async (sum, n, i) => sum + n * i, 0)).toBe(285);
  });
  it('iterates', async () => {
    const seen: number[] = [];
    for await (const n of toAsyncIterable(await make())) seen.push(n);
    expect(seen).toEqual(numbers);
  });
});

describe('laziness and closing', () => {
  it('take(0) pulls nothing and closes the source', async () => {
    const state = counted();
    expect(await collect(take(state.source, 0))).toEqual([]);
    expect(state).toMatchObject({ pulls: 0, closed: 1 });
  });
  it('take(n) pulls exactly n and closes as soon as it has them', async () => {
    const state = counted();
    const iterator = take(state.source, 2)[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    expect(state).toMatchObject({ pulls: 2, closed: 1 });
    expect((await iterator.next()).done).toBe(true);
    expect(state).toMatchObject({ pulls: 2, closed: 1 });
  });
  it.each([
    [
      'break',
      async (source: AsyncIterable<number>) => {
        for await (const _ of map(source, (n) => n)) break;
      },
    ],
    [
      'the end',
      async (source: AsyncIterable<number>) => {
        await collect(takeWhile(source, (n) => n < 3));
      },
    ],
    [
      'a throwing callback',
      async (source: AsyncIterable<number>) => {
        await collect(
          map(source, () => {
            throw new Error('mapper');
          }),
        ).catch(() => {});
      },
    ],
    [
      'a rejecting callback',
      async (source: AsyncIterable<number>) => {
        for await (const _ of filter(source, async () => {
          throw new Error('predicate');
        }));
      },
    ],
    [
      'a throwing consumer',
      async (source: AsyncIterable<number>) => {
        for await (const _ of skip(source, 1)) throw new Error('consumer');
      },
    ],
    [
      'return() before the first next()',
      async (source: AsyncIterable<number>) => {
        const mapped = map(source, (n) => n);
        await mapped[Symbol.asyncIterator]().return?.();
      },
    ],
  ])('closes the source on %s', async (_, use) => {
    const state = counted();
    await use(state.source).catch(() => {});
    expect(state.closed).toBe(1);
  });
  it('return() does not wait for a next() that never comes', async () => {
    const never: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => new Promise(() => {}) }),
    };
    const iterator = map(never, (n) => n)[Symbol.asyncIterator]();
    const pending = iterator.next();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
  });
  it('closes the inner iterable of flatMap too', async () => {
    const inner = counted();
    const outer = counted();
    for await (const _ of flatMap(outer.source, () => inner.source)) break;
    expect([inner.closed, outer.closed]).toEqual([1, 1]);
  });
  it('answers concurrent next() calls in order', async () => {
    const iterator = map(counted(5).source, async (n) => n)[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: 7 }, () => iterator.next()));
    expect(steps.map((step) => step.value)).toEqual([0, 1, 2, 3, 4, undefined, undefined]);
  });
  it('passes undefined and null on', async () => {
    expect(await collect(map([undefined, null, 0], (x) => x))).toEqual([undefined, null, 0]);
    expect(await collect(flatMap([1], () => [undefined, null]))).toEqual([undefined, null]);
  });
  it('lets timers run during a long run of ready values', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await collect(
      filter(
        Array.from({ length: 200_000 }, (_, i) => i),
        () => false,
      ),
    );
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });
  it.each([
    ['dropped', (source: Source<number>) => collect(filter(source, () => false))],
    ['collected', (source: Source<number>) => collect(source)],
    [
      'iterated',
      async (source: Source<number>) => {
        for await (const _ of map(source, (n) => n));
      },
    ],
  ])('lets timers run when the source answers by microtasks and values are %s', async (_, drain) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await drain(counted(100_000).source);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });
});

describe('chunk with limits', () => {
  it.each([
    ['take before chunk flushes what it has', (s: Source<number>) => chunk(take(s, 3), 2), [[0, 1], [2]]],
    ['take after chunk drops nothing it was given', (s: Source<number>) => take(chunk(s, 4), 1), [[0, 1, 2, 3]]],
    [
      'nested chunks flush in order',
      (s: Source<number>) => chunk(chunk(s, 3), 2),
      [
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
        [[6, 7, 8], [9]],
      ],
    ],
  ])('%s', async (_, build, expected) => {
    expect(await collect(build(numbers) as Source<unknown>)).toEqual(expected);
  });
});

describe('retraction', () => {
  it('collect and reduce read again when values they have are superseded, through any transformers', async () => {
    const memory = createMemoryStreamStore();
    await memory.create('s', { records: [{ data: '1', step: 'x', attempt: 1 }, { data: '2' }] });
    const reader = getStreamReader<number>({ store: memory, streamId: 's' });
    let calls = 0;
    const collecting = collect(
      chunk(
        map(reader, (n) => {
          if (++calls === 2) void finish();
          return n * 10;
        }),
        2,
      ),
    );
    const finish = async (): Promise<void> => {
      await memory.append('s', {
        segments: [
          {
            records: [
              { kind: 'supersede', step: 'x', belowAttempt: 2 },
              { data: '3', step: 'x', attempt: 2 },
            ],
            end: { outcome: 'completed' },
          },
        ],
      });
    };
    expect(await collecting).toEqual([[20, 30]]);
  });
});

describe('bad input', () => {
  it.each([
    ['source', () => map(42 as never, (x) => x)[Symbol.asyncIterator]()],
    ['source', () => collect('text' as never)],
    ['fn', () => map([], null as never)],
    ['predicate', () => filter([], 1 as never)],
    ['size', () => chunk([], 0)],
    ['count', () => take([], -1)],
    ['count', () => skip([], 1.5)],
  ])('names a bad %s', async (name, call) => {
    await expect((async () => call())()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: name });
  });
});

type Op = readonly [
  name: 'map' | 'filter' | 'take' | 'skip' | 'chunk' | 'takeWhile' | 'skipWhile' | 'flatMap',
  n: number,
  async: boolean,
];

describe('against arrays', () => {
  it('any chain gives what the same chain on an array gives', async () => {
    const op = fc.tuple(
      fc.constantFrom<Op[0]>('map', 'filter', 'take', 'skip', 'takeWhile', 'skipWhile', 'flatMap'),
      fc.integer({ min: 0, max: 8 }),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }),
        fc.array(op, { maxLength: 6 }),
        fc.boolean(),
        async (input, ops, asyncSource) => {
          let stream: Source<number> = asyncSource
            ? (async function* () {
                yield* input;
              })()
            : input;
          let array = input;
          for (const [name, n, isAsync] of ops) {
            const maybe = <T>(value: T): T | Promise<T> => (isAsync ? Promise.resolve(value) : value);
            if (name === 'map') {
              stream = map(stream, (x) => maybe(x + n));
              array = array.map((x) => x + n);
            } else if (name === 'filter') {
              stream = filter(stream, (x) => maybe(x % (n + 1) !== 0));
              array = array.filter((x) => x % (n + 1) !== 0);
            } else if (name === 'take') {
              stream = take(stream, n);
              array = array.slice(0, n);
            } else if (name === 'skip') {
              stream = skip(stream, n);
              array = array.slice(n);
            } else if (name === 'takeWhile') {
              stream = takeWhile(stream, (x) => maybe(x < n * 3));
              const i = array.findIndex((x) => x >= n * 3);
              array = i === -1 ? array : array.slice(0, i);
            } else if (name === 'skipWhile') {
              stream = skipWhile(stream, (x) => maybe(x < n * 3));
              const i = array.findIndex((x) => x >= n * 3);
              array = i === -1 ? [] : array.slice(i);
            } else {
              stream = flatMap(stream, (x) => maybe(Array.from({ length: n % 3 }, () => x)));
              array = array.flatMap((x) => Array.from({ length: n % 3 }, () => x));
            }
          }
          expect(await collect(stream)).toEqual(array);
        },
      ),
      { numRuns: 500 },
    );
  });
});
