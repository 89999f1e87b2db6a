import {
  type Context,
  context,
  type ContextManager,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { type PipelineSpan, type PipelineTracer, StreamingPipeline } from '@perennial/pipeline';
import { afterEach, describe, expect, it } from 'vitest';

import { counted, rejection } from '../support/sources.ts';

const INVALID = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };

interface Recorded {
  readonly name: string;
  readonly attributes: Record<string, unknown>;
  readonly parent: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  status: unknown;
  exceptions: unknown[];
  ended: number;
}

/** A provider that writes down what it is told, as an SDK would. */
class RecordingProvider implements TracerProvider {
  readonly spans: Recorded[] = [];

  getTracer(): Tracer {
    return {
      startSpan: (name: string, { attributes = {} }: SpanOptions = {}, parentContext: Context = ROOT_CONTEXT): Span => {
        const parent = trace.getSpan(parentContext)?.spanContext();
        const number = this.spans.length + 1;
        const recorded: Recorded = {
          name,
          attributes: { ...attributes },
          parent: parent?.spanId,
          traceId: parent?.traceId ?? `${number}`.padStart(32, 'a'),
          spanId: `${number}`.padStart(16, 'b'),
          status: undefined,
          exceptions: [],
          ended: 0,
        };
        this.spans.push(recorded);
        const span: Partial<Span> = {
          spanContext: () => ({ traceId: recorded.traceId, spanId: recorded.spanId, traceFlags: 1 }),
          setAttributes: (more) => (Object.assign(recorded.attributes, more), span as Span),
          setStatus: (status) => ((recorded.status = status), span as Span),
          recordException: (exception) => void recorded.exceptions.push(exception),
          end: () => void recorded.ended++,
        };
        return span as Span;
      },
      startActiveSpan: () => {
        throw new Error('not used');
      },
    } as Tracer;
  }
}

/** A manager with one active context, set by hand. */
class ManualContext {
  current: Context = ROOT_CONTEXT;
  active(): Context {
    return this.current;
  }
  with(_: Context, fn: () => unknown): unknown {
    return fn();
  }
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

afterEach(() => {
  trace.disable();
  context.disable();
});

const pipeline = StreamingPipeline.start<number>()
  .map('double', (n) => n * 2)
  .map('check', (n) => (n < 4 ? n : Promise.reject(new Error('too much'))));

describe('trace ids', () => {
  it('are those of W3C Trace Context, one trace per run', async () => {
    const run = pipeline.execute(counted(2).source);
    const { traceId } = run;
    for await (const _ of run);
    const metadata = await run.metadata;
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(metadata.traceId).toBe(traceId);
    expect(new Set(metadata.steps.map((step) => step.traceId))).toEqual(new Set([traceId]));
    const spans = [metadata.spanId, ...metadata.steps.map(({ spanId }) => spanId)];
    expect(new Set(spans).size).toBe(3);
    expect(spans.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
    expect(pipeline.execute(1).traceId).not.toBe(traceId);
  });
});

describe('a registered OpenTelemetry provider', () => {
  it('gets a span for the run and one for each step', async () => {
    const provider = new RecordingProvider();
    trace.setGlobalTracerProvider(provider);
    const run = pipeline.execute(counted(2).source, { runId: 'r1' });
    for await (const _ of run);
    expect(provider.spans).toMatchObject([
      {
        name: 'pipeline',
        parent: undefined,
        ended: 1,
        status: undefined,
        attributes: { 'perennial.run_id': 'r1', 'perennial.items': 2, 'perennial.outcome': 'completed' },
      },
      { name: 'double', parent: run.spanId, ended: 1, attributes: { 'perennial.key': 'double', 'perennial.items': 2 } },
      { name: 'check', parent: run.spanId, ended: 1 },
    ]);
    const { steps, traceId } = await run.metadata;
    expect(traceId).toBe(provider.spans[0]?.traceId);
    expect(steps.map(({ spanId }) => spanId)).toEqual(provider.spans.slice(1).map(({ spanId }) => spanId));
  });

  it('learns of the error, at the run and at the step', async () => {
    const provider = new RecordingProvider();
    trace.setGlobalTracerProvider(provider);
    const error = await rejection(pipeline.executeToArray(counted().source));
    const [run, double, check] = provider.spans;
    for (const span of [run, check]) {
      expect(span).toMatchObject({ status: { code: 2 }, exceptions: [error], ended: 1 });
    }
    expect(double).toMatchObject({ status: undefined, exceptions: [], ended: 1 });
    expect(error).toMatchObject({ traceId: run?.traceId, spanId: check?.spanId });
  });

  it('is the parent of runs that start under an active span', () => {
    const provider = new RecordingProvider();
    const manager = new ManualContext();
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(manager as ContextManager);
    const request = trace.getTracer('test').startSpan('request');
    manager.current = trace.setSpan(ROOT_CONTEXT, request);
    const run = pipeline.execute(1);
    expect(run.traceId).toBe(request.spanContext().traceId);
    expect(provider.spans[1]).toMatchObject({ name: 'pipeline', parent: request.spanContext().spanId });
  });

  it('that records nothing leaves the ids to the pipeline', () => {
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => trace.wrapSpanContext(INVALID) }) as never });
    expect(pipeline.execute(1).traceId).toMatch(/^[0-9a-f]*[1-9a-f][0-9a-f]*$/);
  });

  it('is left alone with tracer: null', async () => {
    const provider = new RecordingProvider();
    trace.setGlobalTracerProvider(provider);
    await StreamingPipeline.start<number>(undefined, { tracer: null }).executeToArray(1);
    expect(provider.spans).toEqual([]);
  });
});

describe('a tracer of one’s own', () => {
  it('makes all spans', async () => {
    const names: string[] = [];
    const tracer: PipelineTracer = (name) => {
      const span = (own: string): PipelineSpan => ({
        traceId: '1'.repeat(32),
        spanId: '2'.repeat(16),
        child: (step) => span(`${own}/${step}`),
        end: () => void names.push(own),
      });
      return span(name);
    };
    await StreamingPipeline.start<number>(undefined, { tracer })
      .map('a', (n) => n)
      .executeToArray(1);
    expect(names).toEqual(['pipeline/a', 'pipeline']);
  });
});
