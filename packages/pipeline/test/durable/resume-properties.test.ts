import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { type PipelineSource, positionedSource, StreamingPipeline } from '@perennial/pipeline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { build, expected, type ModelStep, type Numbers, repeatableStep } from '../support/model.ts';
import { settle } from '../support/sources.ts';

const items = fc.array(fc.nat(50), { maxLength: 25 });
const steps = fc.array(repeatableStep, { maxLength: 4 });
const mode = fc.constantFrom('pass', 'tee', 'barrier' as const);
const sourceKind = fc.constantFrom('positioned', 'plain' as const);

interface Program {
  readonly before: readonly ModelStep[];
  readonly after: readonly ModelStep[];
  readonly mode: 'pass' | 'tee' | 'barrier';
  readonly items: readonly number[];
  readonly source: 'positioned' | 'plain';
  /** Another durable checkpoint in front of it all. */
  readonly early: 'tee' | 'barrier' | null;
}

const program: fc.Arbitrary<Program> = fc.record({
  before: steps,
  after: steps,
  mode,
  items,
  source: sourceKind,
  early: fc.constantFrom(null, 'tee', 'barrier' as const),
});

function pipelineOf({ before, after, mode: kind, early }: Program, store: StreamStore): Numbers {
  const start = StreamingPipeline.start<number>().map('start', (n) => n);
  const first = build(before, early ? start.checkpoint('early', { store, mode: early }) : start);
  const durable =
    kind === 'pass'
      ? first.checkpoint('durable', { store, mode: kind, intervalMs: 0 })
      : first.checkpoint('durable', { store, mode: kind, intervalMs: 0 });
  return after.reduce((pipeline, step, i) => step.add(pipeline, `t${i}`), durable as unknown as Numbers);
}

function sourceOf({ source, items: values }: Program): PipelineSource<number> {
  return source === 'plain' ? values : positionedSource((position) => values.slice(position));
}

describe('a run that is cut off and run again', () => {
  it('goes on exactly where it stopped, wherever that was', async () => {
    await fc.assert(
      fc.asyncProperty(program, fc.array(fc.nat(8), { maxLength: 4 }), async (plan, cuts) => {
        const store = createMemoryStreamStore();
        const whole = expected([...plan.before, ...plan.after], plan.items);
        let used = 0;
        for (const cut of [...cuts, Infinity]) {
          const run = pipelineOf(plan, store).executeFrom(sourceOf(plan), { runId: 'r' });
          const values: number[] = [];
          let done = false;
          while (values.length < cut) {
            const step = await run.next();
            done = step.done === true;
            if (step.done) break;
            values.push(step.value);
            // Cursors are saved between values: let that happen sometimes.
            if (values.length % 2 === 0) await settle();
          }
          await run.return();
          await settle();
          const { resumedAt } = await run.metadata;
          // A run of which nothing was asked does not know where it would have gone on.
          if (cut === 0) continue;
          expect(resumedAt).toBeLessThanOrEqual(used);
          expect(values).toEqual(whole.slice(resumedAt, done ? Infinity : resumedAt + values.length));
          used = Math.max(used, resumedAt + values.length);
        }
        expect(used).toBe(whole.length);
      }),
      { numRuns: 400 * Number(process.env.MORE ?? 1) },
    );
  });

  it('puts every value into a stream once', async () => {
    await fc.assert(
      fc.asyncProperty(program, fc.array(fc.nat(8), { maxLength: 4 }), async (plan, cuts) => {
        const store = createMemoryStreamStore();
        const whole = expected([...plan.before, ...plan.after], plan.items);
        for (const cut of [...cuts, Infinity]) {
          const pipeline = pipelineOf(plan, store);
          const { run, done } = pipeline.executeToStream(sourceOf(plan), { store, streamId: 'out', runId: 'r' });
          const settled = done.then(
            () => true,
            () => false,
          );
          for (let i = 0; i < cut && !run.progress().state.match(/completed/) && i < 60; i++) await settle();
          if (cut !== Infinity) run.abort('cut off');
          await settled;
        }
        const { records, head } = await store.read('out', { from: 0 });
        expect(records.map((record) => record.kind === 'data' && JSON.parse(String(record.data)))).toEqual(whole);
        expect(head.end).toEqual({ outcome: 'completed' });
      }),
      { numRuns: 200 * Number(process.env.MORE ?? 1) },
    );
  });
});
