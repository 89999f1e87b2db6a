/** Types flow from dependencies, inputs and steps to results. */
import { createMemoryStreamStore, err, ok, type Result, type StreamReader } from '@perennial/core';
import { expectTypeOf } from 'vitest';

import {
  closeStream,
  createWorkflow,
  type DurableWorkflow,
  type ForEachResult,
  readStream,
  readStreamAsync,
  type ResultError,
  type RunContext,
  type RunHandle,
  type RunWriter,
  type StepFailedError,
  type StreamTurn,
  type UnwrapResult,
  type WorkflowError,
  type WorkflowEvent,
  writeStream,
} from '../../src/index.ts';

const streamStore = createMemoryStreamStore();
const workflow = createWorkflow('types', { add: (a: number, b: number) => a + b }, { streamStore });

// Dependencies, input, steps.
const sum = await workflow.run(
  async ({ step, deps, input, runId, signal }) => {
    expectTypeOf(deps.add).toEqualTypeOf<(a: number, b: number) => number>();
    expectTypeOf(input).toEqualTypeOf<{ a: number }>();
    expectTypeOf(runId).toEqualTypeOf<string>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    const plain = await step('plain', () => deps.add(input.a, 1));
    expectTypeOf(plain).toEqualTypeOf<number>();
    const unwrapped = await step('unwrapped', async (): Promise<Result<string, 'EMPTY'>> => ok('x'));
    expectTypeOf(unwrapped).toEqualTypeOf<string>();
    const never = await step('never', () => err('EMPTY' as const));
    expectTypeOf(never).toEqualTypeOf<never>();
    return plain;
  },
  { input: { a: 1 } },
);
expectTypeOf(sum).toEqualTypeOf<Result<number, WorkflowError>>();

// A Result that the body returns is unwrapped, its error joins the run's.
const checked = await workflow.run(async (): Promise<Result<number, { why: 'late' }>> => ok(1));
expectTypeOf(checked).toEqualTypeOf<Result<number, { why: 'late' } | WorkflowError>>();
expectTypeOf<UnwrapResult<Result<1, 'e'>>>().toEqualTypeOf<1>();
expectTypeOf<UnwrapResult<Date>>().toEqualTypeOf<Date>();
expectTypeOf<ResultError<Result<1, 'e'>>>().toEqualTypeOf<'e'>();
expectTypeOf<ResultError<number>>().toEqualTypeOf<never>();

// Handles.
const handle = workflow.start(() => 'text');
expectTypeOf(handle).toEqualTypeOf<RunHandle<string, never>>();
expectTypeOf(await handle.result).toEqualTypeOf<Result<string, WorkflowError>>();
expectTypeOf(handle.reader<number>({ namespace: 'n' })).toEqualTypeOf<StreamReader<number>>();

// Definitions.
const defined = workflow.define(
  async ({ input }: RunContext<unknown, { q: string }>): Promise<Result<string[], 'NONE'>> =>
    input.q === '' ? err('NONE' as const) : ok([input.q]),
);
expectTypeOf(defined).toEqualTypeOf<DurableWorkflow<{ q: string }, string[], 'NONE'>>();
expectTypeOf((await defined.start({ input: { q: '' } })).result).resolves.toEqualTypeOf<
  Result<string[], 'NONE' | WorkflowError>
>();
expectTypeOf(defined.handle('r')).toEqualTypeOf<RunHandle<string[], 'NONE'>>();
// @ts-expect-error an input of another type
await defined.start({ input: { q: 5 } });
// @ts-expect-error a workflow needs a store
createWorkflow('types', {}, {});

// Writers, readers, items.
await workflow.run(async ({ step }) => {
  const writer = step.getWritable<{ token: string }>({ namespace: 'tokens' });
  expectTypeOf(writer).toEqualTypeOf<RunWriter<{ token: string }>>();
  // @ts-expect-error a value of another type
  await writer.write('text');
  const reader = step.getReadable<{ token: string }>({ namespace: 'tokens' });
  const processed = await step.streamForEach(
    reader,
    (item, { index, signal }) => {
      expectTypeOf(item).toEqualTypeOf<{ token: string }>();
      expectTypeOf(index).toEqualTypeOf<number>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    },
    { name: 'all' },
  );
  expectTypeOf(processed).toEqualTypeOf<Result<ForEachResult, StepFailedError>>();
  // @ts-expect-error a step over items needs a name
  await step.streamForEach([1], () => 1, {});
  await step('in', ({ attempt, key, writable, emitted }) => {
    expectTypeOf(attempt).toEqualTypeOf<number>();
    expectTypeOf(key).toEqualTypeOf<string>();
    expectTypeOf(writable<number>()).toEqualTypeOf<RunWriter<number>>();
    expectTypeOf(emitted<number>()).toEqualTypeOf<Promise<number[]>>();
  });
});

// Streams by key.
await workflow.run(async (ctx) => {
  await writeStream<number>(ctx, 'results', 1);
  // @ts-expect-error a value of another type
  await writeStream<number>(ctx, 'results', 'one');
  await closeStream(ctx, 'results');
  await ctx.step('in', (inStep) => void writeStream(inStep, 'results', 1));
});
const contents = await readStream<number>(handle, 'results');
if (contents.ok) expectTypeOf(contents.value.values).toEqualTypeOf<readonly number[]>();
for await (const turn of readStreamAsync<number>({ store: streamStore, runId: 'r' }, 'results'))
  expectTypeOf(turn).toEqualTypeOf<StreamTurn<number>>();

// Events are told apart by type.
expectTypeOf<Extract<WorkflowEvent, { type: 'stream_write' }>['position']>().toEqualTypeOf<number>();
expectTypeOf<Extract<WorkflowEvent, { type: 'run_started' }>>().not.toHaveProperty('namespace');
