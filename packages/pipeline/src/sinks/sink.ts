import type { StreamWriter } from '@perennial/core';

/** A Node stream that takes objects, as far as it is used. */
export interface NodeWritable<T> {
  write(chunk: T): boolean;
  end(): unknown;
  destroy(error?: Error): unknown;
  once(event: 'drain' | 'error' | 'close' | 'finish', listener: (error?: unknown) => void): unknown;
  off(event: 'drain' | 'error' | 'close' | 'finish', listener: (error?: unknown) => void): unknown;
}

/** Where a run's values can go. Functions are called one value at a time. */
export type PipelineSink<T> =
  | StreamWriter<T>
  | WritableStream<T>
  | NodeWritable<T>
  | ((value: T, index: number) => void | PromiseLike<void>);

/** A sink of any kind, in one form. */
export interface OpenSink<T> {
  /** Resolves once the next value may come. */
  write(value: T, index: number): void | PromiseLike<void>;
  /** Resolves once everything is where it belongs. */
  end(): Promise<void>;
  /** The values stop here because of an error. */
  abort(error: Error): Promise<void>;
  /** Fires when nobody wants more values. */
  readonly signal?: AbortSignal;
}
