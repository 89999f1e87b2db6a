import type { StreamStore } from '@perennial/core';
import type { RedisClient } from '@perennial/store-redis';

/** Options of `createResumableStreamContext`: those of `resumable-stream`, and `store`, `leaseMs`, `ttlMs` and `onError`. */
export interface ResumableStreamContextOptions {
  /**
   * Is given a promise for each stream that this context produces, and must keep the process alive until it resolves, as `after` of
   * `next/server` does. The promise never rejects. Null where processes stay anyway.
   */
  readonly waitUntil: ((promise: Promise<unknown>) => void) | null;
  /** Where the streams are kept. @default Redis, by `publisher` or the environment variables `REDIS_URL` and `KV_URL` */
  readonly store?: StreamStore;
  /**
   * A client of `ioredis` or `redis`. Connections of its own are opened with the client's options, which closing the client does not close;
   * the client itself is not used.
   */
  readonly publisher?: RedisClient;
  /** Accepted for code that passes one, and not needed. */
  readonly subscriber?: unknown;
  /** Accepted for code that passes one, and not needed: a reader is told of an end, and looks for it by itself. */
  readonly doneWatchdogIntervalMs?: number;
  /** First part of the ids that streams have in the store: `<keyPrefix>/<streamId>`. @default 'resumable-stream' */
  readonly keyPrefix?: string;
  /** A producing process that is silent this long, in ms, counts as lost, and its stream as failed. @default 15000 */
  readonly leaseMs?: number;
  /** How long a stream that nobody writes or reads is kept, in ms. @default 24 hours */
  readonly ttlMs?: number;
  /** Is told, once, what went wrong with a stream that this context produces. What it throws is ignored. @default process.emitWarning */
  readonly onError?: (error: unknown, streamId: string) => void;
}

/**
 * Makes the text of a stream, once that exists. The signal fires when somebody stops it, or when it cannot be kept any more; the text that the
 * source gave until then is kept, also where it fails on the signal.
 */
export type MakeStream = (signal: AbortSignal) => ReadableStream<string>;

/**
 * Streams of text by id. What a method returns carries all text of the stream, also where another process produces it; pieces may come out
 * joined. It ends when the stream has completed or was stopped, and errors where the text broke off.
 */
export interface ResumableStreamContext {
  /**
   * Produces the stream if there is none with this id, else resumes it. However many processes call at once, one makes the text.
   *
   * @param skipCharacters Characters (UTF-16 code units) to leave out at the beginning. @default 0
   * @returns null when the stream is done
   */
  resumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null>;
  /**
   * Produces a stream whose id nobody has used. It is produced to its end also when nobody reads what this returns.
   *
   * @throws A `StreamError` `EXISTS` for an id that is taken.
   */
  createNewResumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters?: number,
  ): Promise<ReadableStream<string>>;
  /** Resumes a stream. @returns null when it is done, undefined when there is none */
  resumeExistingStream(streamId: string, skipCharacters?: number): Promise<ReadableStream<string> | null | undefined>;
  /** @returns null when there is no such stream, `'DONE'` when it has ended, else true */
  hasExistingStream(streamId: string): Promise<null | true | 'DONE'>;
  /**
   * Stops a stream, from any process: its producer's signal fires, its source is cancelled, and its readers get what was there.
   *
   * @param reason Why; kept with the stream.
   * @returns false when there is nothing to stop: no such stream, or one that has ended. True when the wish is kept with the stream, also
   *   where its producer is lost, or comes to its end before it hears of the wish
   */
  stopStream(streamId: string, reason?: string): Promise<boolean>;
  /**
   * Lets go of the connections, once the streams that this context produces have ended; what is still being read then errors. Not needed in
   * servers. Idempotent.
   */
  close(): Promise<void>;
}
