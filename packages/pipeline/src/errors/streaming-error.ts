/**
 * What went wrong, where the pipeline itself knows. An error that a step threw keeps its own code instead (its `code`, else its `name`).
 */
export type PipelineErrorCode =
  | 'INVALID_ARGUMENT'
  | 'DUPLICATE_KEY'
  | 'NOT_RESUMABLE'
  | 'RUN_ID_REQUIRED'
  | 'NOT_STARTED'
  | 'CONTEXT_FAILED'
  | 'SOURCE_FAILED'
  | 'STEP_FAILED'
  | 'ABORTED'
  | 'NOT_ONE_ITEM'
  | 'STATE_NOT_RETAINED'
  | 'CHECKPOINT_OVERFLOW'
  | 'CHECKPOINT_MISMATCH'
  | 'LIMIT_EXCEEDED'
  | 'SINK_FAILED';

/** Base class of the package's errors. Recognise them by `code`, which survives copies of the package. */
export class PipelineError extends Error {
  readonly code: PipelineErrorCode | (string & {});

  constructor(code: PipelineErrorCode | (string & {}), message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PipelineError';
    this.code = code;
  }
}

/** Where in a run an error arose. */
export interface StreamingErrorContext {
  /** Name of the step; `input` for the source, `output` for a sink. */
  readonly stepName: string;
  /** Zero-based index of the item among those the step received; absent where no item is to blame. */
  readonly itemIndex?: number | undefined;
  /** The item itself, so that an error channel can feed a second try. */
  readonly item?: unknown;
  /** False when the same item would fail again. */
  readonly retryable: boolean;
  /** How often the item was tried. */
  readonly attempts?: number | undefined;
  /** 32 hexadecimal digits, shared by everything of one run. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the step within the run. */
  readonly spanId: string;
  readonly cause?: unknown;
}

/** Every error that a run throws, collects or splits off. What the step threw is the `cause`. */
export class StreamingError extends PipelineError {
  readonly stepName: string;
  readonly itemIndex?: number | undefined;
  readonly item?: unknown;
  readonly retryable: boolean;
  readonly attempts: number;
  readonly traceId: string;
  readonly spanId: string;

  constructor(code: PipelineErrorCode | (string & {}), message: string, context: StreamingErrorContext) {
    super(code, message, { cause: context.cause });
    this.name = 'StreamingError';
    this.stepName = context.stepName;
    this.itemIndex = context.itemIndex;
    this.item = context.item;
    this.retryable = context.retryable;
    this.attempts = context.attempts ?? 1;
    this.traceId = context.traceId;
    this.spanId = context.spanId;
  }
}

/** A checkpoint, a tee or another buffer that keeps whole streams got more items than its `limit`. */
export class CheckpointOverflow extends StreamingError {
  readonly key: string;
  readonly limit: number;

  constructor(key: string, limit: number, context: StreamingErrorContext) {
    super(
      'CHECKPOINT_OVERFLOW',
      `'${key}' would keep more than ${limit} items. Raise its \`limit\`, or keep less: filter, batch or take before it.`,
      context,
    );
    this.name = 'CheckpointOverflow';
    this.key = key;
    this.limit = limit;
  }
}

/** `state.stream` or `state.materialize` asked for values of a step that were not kept. */
export class StateNotRetained extends StreamingError {
  readonly key: string;

  constructor(key: string, message: string, context: StreamingErrorContext) {
    super('STATE_NOT_RETAINED', message, context);
    this.name = 'StateNotRetained';
    this.key = key;
  }
}

/** True for errors of a run, also across copies of the package. */
export function isStreamingError(error: unknown): error is StreamingError {
  return (
    error instanceof Error &&
    'code' in error &&
    'stepName' in error &&
    typeof error.stepName === 'string' &&
    'traceId' in error
  );
}

/** The `code` of anything thrown, else its `name`: what `retryableErrors` matches. Undefined for what is no error. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string' && thrown.code !== '') return thrown.code;
  return 'name' in thrown && typeof thrown.name === 'string' && thrown.name !== '' ? thrown.name : undefined;
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : `a thrown ${typeof thrown}`;
}
