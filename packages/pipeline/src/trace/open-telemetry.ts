import { idsOnly, type PipelineSpan, type PipelineTracer, type SpanAttributes } from './trace.ts';

/** The part of `@opentelemetry/api` 1.x that is used. */
interface Span {
  spanContext(): { readonly traceId: string; readonly spanId: string };
  setAttributes(attributes: SpanAttributes): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(error: Error): unknown;
  end(): void;
}
interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}
interface Tracer {
  startSpan(name: string, options: { readonly attributes: SpanAttributes }, context?: Context): Span;
}
interface GlobalApi {
  readonly trace?: { getTracer(name: string): Tracer };
  readonly context?: { active(): Context };
}

// The API registers its providers under these names so that several copies of it in one process share them. Looking there finds a
// provider where one is registered, needs no import that may fail, and works in every bundler.
const API: unique symbol = Symbol.for('opentelemetry.js.api.1') as never;
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');
const STATUS_ERROR = 2;
const INVALID_TRACE_ID = '0'.repeat(32);

/** The tracer of the OpenTelemetry provider that is registered in this process; null when there is none. */
export function registeredTracer(): PipelineTracer | null {
  const api = (globalThis as { readonly [API]?: GlobalApi })[API];
  const tracer = api?.trace?.getTracer('@perennial/pipeline');
  if (!tracer) return null;
  return (name, attributes) => {
    const context = api?.context?.active() ?? emptyContext;
    const span = tracer.startSpan(name, { attributes }, context);
    // A provider that records nothing gives no ids; errors need some all the same.
    if (span.spanContext().traceId === INVALID_TRACE_ID) return idsOnly(name, attributes);
    return wrap(tracer, span, context);
  };
}

/** Providers may be registered without a context manager. */
const emptyContext: Context = withValue(undefined, undefined, null);

function withValue(key: symbol | undefined, value: unknown, outer: Context | null): Context {
  const self: Context = {
    getValue: (wanted) => (wanted === key ? value : outer?.getValue(wanted)),
    setValue: (name, content) => withValue(name, content, self),
    deleteValue: (name) => withValue(name, undefined, self),
  };
  return self;
}

function wrap(tracer: Tracer, span: Span, context: Context): PipelineSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    child(name, attributes) {
      const inside = context.setValue(SPAN_KEY, span);
      return wrap(tracer, tracer.startSpan(name, { attributes }, inside), inside);
    },
    end(attributes, error) {
      span.setAttributes(attributes);
      if (error) {
        span.recordException(error);
        span.setStatus({ code: STATUS_ERROR, message: error.message });
      }
      span.end();
    },
  };
}
