import { createStreamingStep, StreamingPipeline } from '@perennial/pipeline';
import fc from 'fast-check';

/** A pipeline of numbers whose keys and types are not tracked: built by chance, checked against arrays. */
export type Numbers = StreamingPipeline<number, number, object>;

/** One step, as a pipeline has it and as an array would. */
export interface ModelStep {
  readonly name: string;
  readonly add: (pipeline: Numbers, key: string) => Numbers;
  readonly model: (items: readonly number[]) => number[];
}

const times =
  (factor: number): ModelStep['model'] =>
  (items) =>
    items.map((n) => n * factor);
const keepEven = (n: number): boolean => n % 2 === 0;
/** A little async, now and then. */
const late = async <T>(value: T, turns: number): Promise<T> => {
  for (let i = 0; i < turns; i++) await Promise.resolve();
  return value;
};

const double = createStreamingStep<number, number>('double', async function* ({ input }) {
  for await (const n of input) yield n * 2;
});
const twice = createStreamingStep<number, number>('twice', async function* ({ input }) {
  for await (const n of input) {
    yield n;
    yield n + 1;
  }
});
const runningSum = createStreamingStep<number, number>('runningSum', async function* ({ input }) {
  let sum = 0;
  for await (const n of input) yield (sum += n);
});
const pairs = createStreamingStep<number, number>('pairs', async function* ({ input }) {
  let left: number | undefined;
  for await (const n of input) {
    if (left === undefined) left = n;
    else {
      yield left * 1_000 + n;
      left = undefined;
    }
  }
});

const chunksOf = (items: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
const sum = (items: readonly number[]): number => items.reduce((a, b) => a + b, 0);
const untyped = (pipeline: unknown): Numbers => pipeline as Numbers;

/** Steps that a resumed run can repeat. */
export const repeatableStep: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constant<ModelStep>({ name: 'map', add: (p, key) => p.map(key, (n) => n * 3), model: times(3) }),
  fc.nat(3).map<ModelStep>((turns) => ({
    name: `map async ${turns}`,
    add: (p, key) => p.map(key, (n) => late(n * 3, turns)),
    model: times(3),
  })),
  fc.record({ limit: fc.integer({ min: 1, max: 5 }), turns: fc.nat(3) }).map<ModelStep>(({ limit, turns }) => ({
    name: `map parallel ${limit}`,
    add: (p, key) =>
      p.map(key, (n, i) => (i % 3 === 0 ? n * 3 : late(n * 3, (i * 7) % (turns + 1))), {
        parallel: true,
        concurrencyLimit: limit,
      }),
    model: times(3),
  })),
  fc.constant<ModelStep>({ name: 'map step', add: (p, key) => p.map(key, double), model: times(2) }),
  fc.integer({ min: 1, max: 5 }).map<ModelStep>((limit) => ({
    name: `map step parallel ${limit}`,
    add: (p, key) => p.map(key, twice, { parallel: true, concurrencyLimit: limit }),
    model: (items) => items.flatMap((n) => [n, n + 1]),
  })),
  fc.constant<ModelStep>({
    name: 'add sum',
    add: (p, key) => p.add(key, runningSum),
    model: (items) => items.map((_, i) => sum(items.slice(0, i + 1))),
  }),
  fc.constant<ModelStep>({
    name: 'add double',
    add: (p, key) => p.add(key, double, { stateless: true }),
    model: times(2),
  }),
  fc.constant<ModelStep>({
    name: 'map pairs',
    add: (p, key) => p.map(key, pairs),
    model: (items) => chunksOf(items, 2).flatMap(([a, b]) => (b === undefined ? [] : [(a ?? 0) * 1_000 + b])),
  }),
  fc.constant<ModelStep>({
    name: 'filter',
    add: (p, key) => p.filter(key, keepEven),
    model: (items) => items.filter(keepEven),
  }),
  fc.nat(2).map<ModelStep>((turns) => ({
    name: 'filter async',
    add: (p, key) => p.filter(key, (n) => late(keepEven(n), turns)),
    model: (items) => items.filter(keepEven),
  })),
  fc.record({ many: fc.nat(3), parallel: fc.boolean() }).map<ModelStep>(({ many, parallel }) => ({
    name: `flatMap ${many}${parallel ? ' parallel' : ''}`,
    add: (p, key) =>
      untyped(
        p.flatMap(
          key,
          (n, i) => {
            const values = Array.from({ length: (i + many) % 4 }, (_, j) => n + j);
            return i % 2 === 0 ? values : late(values, 2);
          },
          { parallel },
        ),
      ),
    model: (items) => items.flatMap((n, i) => Array.from({ length: (i + many) % 4 }, (_, j) => n + j)),
  })),
  fc.constant<ModelStep>({
    name: 'flatMap generators',
    add: (p, key) =>
      untyped(
        p.flatMap(key, async function* (n) {
          yield n;
          yield await late(n + 1, 1);
        }),
      ),
    model: (items) => items.flatMap((n) => [n, n + 1]),
  }),
  fc.constant<ModelStep>({
    name: 'flatMap step',
    add: (p, key) => untyped(p.flatMap(key, twice)),
    model: (items) => items.flatMap((n) => [n, n + 1]),
  }),
  fc.integer({ min: 1, max: 4 }).map<ModelStep>((size) => ({
    name: `batch ${size}`,
    add: (p, key) => p.batch(key, size).map(`${key} sum`, sum),
    model: (items) => chunksOf(items, size).map(sum),
  })),
  fc.integer({ min: 1, max: 4 }).map<ModelStep>((size) => ({
    name: `timed batch ${size}`,
    add: (p, key) => p.batch(key, size, { maxWaitMs: 60_000 }).map(`${key} sum`, sum),
    model: (items) => chunksOf(items, size).map(sum),
  })),
  fc.nat(12).map<ModelStep>((count) => ({
    name: `take ${count}`,
    add: (p, key) => p.take(key, count),
    model: (items) => items.slice(0, count),
  })),
  fc.nat(6).map<ModelStep>((count) => ({
    name: `skip ${count}`,
    add: (p, key) => p.skip(key, count),
    model: (items) => items.slice(count),
  })),
  fc
    .record({ size: fc.integer({ min: 1, max: 4 }), step: fc.integer({ min: 1, max: 5 }) })
    .map<ModelStep>((options) => ({
      name: `window ${options.size}/${options.step}`,
      add: (p, key) => p.window(key, options).map(`${key} sum`, sum),
      model: (items) => windowsOf(items, options).map(sum),
    })),
  fc.constant<ModelStep>({
    name: 'groupBy',
    add: (p, key) => p.groupBy(key, (n) => n % 3).map(`${key} sum`, ({ items }) => sum(items)),
    model: (items) => {
      const groups = new Map<number, number>();
      for (const n of items) groups.set(n % 3, (groups.get(n % 3) ?? 0) + n);
      return [...groups.values()];
    },
  }),
  fc.constant<ModelStep>({
    name: 'join',
    add: (p, key) =>
      p
        .join(key, () => [0, 1, 1], { leftKey: (n) => n % 3, rightKey: (n) => n })
        .map(`${key} sum`, ({ left, right }) => left + right),
    model: (items) => items.flatMap((n) => [0, 1, 1].filter((other) => other === n % 3).map((other) => n + other)),
  }),
  fc.constant<ModelStep>({ name: 'barrier', add: (p, key) => p.checkpoint(key), model: (items) => [...items] }),
  fc.constant<ModelStep>({
    name: 'tee',
    add: (p, key) => p.checkpoint(key, { mode: 'tee' }),
    model: (items) => [...items],
  }),
);

/** Steps that drop what fails. */
export const failingStep: fc.Arbitrary<ModelStep> = fc.constantFrom<ModelStep>(
  ...(['function', 'parallel', 'step', 'parallel step'] as const).map((kind): ModelStep => ({
    name: `failing ${kind}`,
    add(p, key) {
      const fn = (n: number): number => {
        if (n % 5 === 2) throw new Error(`no ${n}`);
        return n;
      };
      const step = createStreamingStep<number, number>('failing', async function* ({ input }) {
        for await (const n of input) yield fn(n);
      });
      const parallel = kind.startsWith('parallel');
      const options = { errorStrategy: 'SKIP_FAILED', parallel } as const;
      return kind.endsWith('step') ? p.map(key, step, options) : p.map(key, fn, options);
    },
    model: (items) => items.filter((n) => n % 5 !== 2),
  })),
);

/** Windows by number, with the last ones as far as they show something new. */
function windowsOf(
  items: readonly number[],
  { size, step }: { readonly size: number; readonly step: number },
): number[][] {
  const windows: number[][] = [];
  let seen = 0;
  for (let start = 0; start < items.length; start += step) {
    const window = items.slice(start, start + size);
    if (window.length < size && start + window.length <= seen) break;
    windows.push(window);
    seen = start + window.length;
    if (window.length < size) break;
  }
  return windows;
}

/** Builds a pipeline of steps, and what it has to make of items. */
export function build(
  steps: readonly ModelStep[],
  start: Numbers = untyped(StreamingPipeline.start<number>()),
): Numbers {
  return steps.reduce((pipeline, step, i) => step.add(pipeline, `s${i}`), start);
}

export function expected(steps: readonly ModelStep[], items: readonly number[]): number[] {
  return steps.reduce<readonly number[]>((values, step) => step.model(values), items) as number[];
}
