import { InvalidArgumentError, quote } from '../log/errors.ts';
import type { StreamStore } from '../log/store.ts';
import type { Authorize } from './authorize.ts';
import type { CorsOptions } from './cors.ts';

/** Limits and times of a handler. Each limit answers with a clear 4xx once it is passed. */
export interface StreamHandlerLimits {
  /** Longest request body in bytes; 413 beyond. @default 8 MiB */
  readonly maxBodyBytes?: number;
  /** Longest single record in bytes; 413 beyond. @default 1 MiB */
  readonly maxRecordBytes?: number;
  /** Most records in one request; 413 beyond. @default 10000 */
  readonly maxBatchRecords?: number;
  /** Deepest nesting of JSON in a request; 400 beyond. Readers parse what writers nest. @default 256 */
  readonly maxJsonDepth?: number;
  /**
   * Streams in the store; creating another is answered with 429. Counted by listing them, at most once a minute or, when the limit is
   * reached, once a second. Processes that share a store count what the others create with their next count. @default Infinity
   */
  readonly maxStreams?: number;
  /** Long-polls and SSE responses open at once; 429 beyond. @default 10000 */
  readonly maxLiveReaders?: number;
  /** The same, for one stream. @default 5000 */
  readonly maxLiveReadersPerStream?: number;
  /** Most records in one catch-up page. @default 10000 */
  readonly pageRecords?: number;
  /** About how many payload bytes one catch-up page holds. @default 4 MiB */
  readonly pageBytes?: number;
  /** How long a long-poll waits for news, in ms. @default 20000 */
  readonly longPollMs?: number;
  /** Longest SSE response in ms, give or take a tenth; clients resume. @default 60000 */
  readonly sseMaxMs?: number;
  /** Pause after which an idle SSE response gets a comment, in ms. @default 15000 */
  readonly heartbeatMs?: number;
  /** How long a client may leave bytes unread that wait for it, in ms, before its response is cut. @default 30000 */
  readonly slowReaderMs?: number;
}

/** Options of {@link createStreamHandler}. */
export interface StreamHandlerOptions extends StreamHandlerLimits {
  readonly store: StreamStore;
  /** Who may do what. Without it everything is allowed in development and denied elsewhere. */
  readonly authorize?: Authorize;
  /** Allows everything to everyone when there is no `authorize`. @default true when NODE_ENV is 'development' or 'test' */
  readonly allowAnonymous?: boolean;
  /** Path below which the streams live, such as `/api/streams`. @default '' */
  readonly basePath?: string;
  /** Which other origins' pages may use the handler. @default false (none) */
  readonly cors?: CorsOptions;
  /** `Cache-Control` of catch-up pages that can never change any more, and of long-poll answers. @default 'private, no-cache' */
  readonly cacheControl?: string;
  /** Ends live responses, with a resumable offset, and refuses new ones: abort it before the server closes. */
  readonly signal?: AbortSignal;
  /** Is told of every error that clients only see as a reference, or as an answer that breaks off. */
  readonly onError?: (error: unknown, context: ErrorContext) => void;
  /** Milliseconds since the Unix epoch, for cursors. @default Date.now */
  readonly now?: () => number;
  /** A number from 0 to 1, for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Where an error came from. */
export interface ErrorContext {
  readonly method: string;
  readonly url: string;
  /** What the client was told instead; absent where no client was told anything, as in an answer that was under way. */
  readonly reference?: string;
}

/** The limits with their defaults filled in. */
export type ResolvedLimits = Required<StreamHandlerLimits>;

const DEFAULTS: ResolvedLimits = {
  maxBodyBytes: 8_388_608,
  maxRecordBytes: 1_048_576,
  maxBatchRecords: 10_000,
  maxJsonDepth: 256,
  maxStreams: Infinity,
  maxLiveReaders: 10_000,
  maxLiveReadersPerStream: 5_000,
  pageRecords: 10_000,
  pageBytes: 4_194_304,
  longPollMs: 20_000,
  sseMaxMs: 60_000,
  heartbeatMs: 15_000,
  slowReaderMs: 30_000,
};

/** @throws {@link InvalidArgumentError} naming the first limit that is not a whole number above 0. */
export function resolveLimits(options: StreamHandlerLimits): ResolvedLimits {
  const limits: Record<keyof StreamHandlerLimits, number> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof StreamHandlerLimits)[]) {
    const value = options[name];
    // No limit is a limit that can be written down, where that is the default.
    if (value === undefined || (value === Infinity && DEFAULTS[name] === Infinity)) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new InvalidArgumentError(
        name,
        `\`${name}\` must be a whole number above 0; got ${typeof value === 'number' ? value : quote(value)}.`,
      );
    }
    limits[name] = value;
  }
  return limits;
}
