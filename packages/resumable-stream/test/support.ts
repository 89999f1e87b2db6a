import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { vi } from 'vitest';

/** What a consumer of a stream of text got. */
export interface Heard {
  text: string;
  /** Resolves once at least this much text is there. */
  until(length: number): Promise<void>;
  /** Resolves with all text when the stream closes; rejects when it errors. */
  readonly all: Promise<string>;
}

/** Listens to a stream from now on. */
export function listen(stream: ReadableStream<string> | null | undefined): Heard {
  if (!stream) throw new Error('There is no stream to listen to.');
  let arrived = Promise.withResolvers<void>();
  const read = async (): Promise<string> => {
    for await (const piece of stream) {
      heard.text += piece;
      arrived.resolve();
      arrived = Promise.withResolvers<void>();
    }
    return heard.text;
  };
  const heard: Heard = {
    text: '',
    async until(length) {
      while (heard.text.length < length) await Promise.race([arrived.promise, heard.all]);
    },
    get all() {
      return all;
    },
  };
  const all = read();
  all.catch(() => undefined);
  return heard;
}

/** A source of text that a test feeds. */
export interface Source {
  readonly stream: ReadableStream<string>;
  /** How the source was cancelled: an array, because the reason may be undefined. */
  readonly cancelled: unknown[];
  give(...pieces: readonly string[]): void;
  end(): void;
  fail(error: unknown): void;
}

/** Creates a source. */
export function createSource(): Source {
  const cancelled: unknown[] = [];
  let controller: ReadableStreamDefaultController<string> | null = null;
  const stream = new ReadableStream<string>({
    start(given) {
      controller = given;
    },
    cancel(reason) {
      cancelled.push(reason);
    },
  });
  return {
    stream,
    cancelled,
    give(...pieces) {
      for (const piece of pieces) controller?.enqueue(piece);
    },
    end: () => controller?.close(),
    fail: (error) => controller?.error(error),
  };
}

/** A store that a test holds back. */
export interface GatedStore {
  readonly store: StreamStore;
  /** Lets its appends through. */
  open(): void;
}

/** Creates a store whose appends wait until a test lets them through. */
export function createGatedStore(): GatedStore {
  const gate = Promise.withResolvers<void>();
  const store = createMemoryStreamStore();
  const append = store.append.bind(store);
  vi.spyOn(store, 'append').mockImplementation(async (...args) => {
    await gate.promise;
    return append(...args);
  });
  return { store, open: () => gate.resolve() };
}
