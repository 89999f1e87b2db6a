/** An operation in a trace: a run, or a step of it. */
export interface PipelineSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Starts a span below this one. */
  child(name: string, attributes: SpanAttributes): PipelineSpan;
  /** Ends the span; with an error it counts as failed. */
  end(attributes: SpanAttributes, error?: Error): void;
}

/** Facts about a span, named `perennial.*`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Starts the span of a run. */
export type PipelineTracer = (name: string, attributes: SpanAttributes) => PipelineSpan;

/** Ids in the format of W3C Trace Context, and nothing that is recorded anywhere. */
export const idsOnly: PipelineTracer = () => createIds(randomHex(16));

function createIds(traceId: string): PipelineSpan {
  return { traceId, spanId: randomHex(8), child: () => createIds(traceId), end: () => undefined };
}

function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  // All zeros are reserved for "no id".
  random[0] ||= 1;
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
