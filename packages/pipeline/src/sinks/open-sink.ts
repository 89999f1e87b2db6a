import type { Result, StreamWriteError, StreamWriter } from '@perennial/core';

import { invalid, show } from '../errors/arguments.ts';
import type { NodeWritable, OpenSink, PipelineSink } from './sink.ts';

/**
 * The one front door for sinks.
 *
 * @throws `INVALID_ARGUMENT` for a value that is none.
 */
export function openSink<T>(sink: PipelineSink<T>): OpenSink<T> {
  if (typeof sink === 'function') return { write: sink, end: async () => undefined, abort: async () => undefined };
  if (typeof sink === 'object' && sink !== null) {
    if (sink instanceof WritableStream) return openWebStream(sink);
    if ('streamId' in sink && 'flush' in sink) return openWriter(sink);
    if ('destroy' in sink && 'write' in sink) return openNodeStream(sink);
  }
  throw invalid(`A sink is a stream writer, a web or Node stream, or a function; got ${show(sink)}.`);
}

function openWriter<T>(writer: StreamWriter<T>): OpenSink<T> {
  return {
    signal: writer.signal,
    write: (value) => writer.write(value).then(unwrap),
    end: async () => unwrap(await writer.close()),
    abort: async (error) => void (await writer.abort(error)),
  };
}

function unwrap(result: Result<void, StreamWriteError>): void {
  if (!result.ok) throw result.error;
}

function openWebStream<T>(stream: WritableStream<T>): OpenSink<T> {
  const writer = stream.getWriter();
  return {
    async write(value) {
      await writer.ready;
      // A failed write shows at the next `ready` or at the end; waiting for each would undo the stream's own buffer.
      writer.write(value).catch(() => undefined);
    },
    end: () => writer.close(),
    abort: (error) => writer.abort(error),
  };
}

function openNodeStream<T>(stream: NodeWritable<T>): OpenSink<T> {
  let failure: { readonly error: unknown } | null = null;
  stream.once('error', (error) => (failure = { error }));
  /** Resolves with the event, rejects when the stream fails or closes before it. */
  const happened = (event: 'drain' | 'finish'): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        stream.off(event, done);
        stream.off('error', failed);
        stream.off('close', closed);
      };
      const done = (): void => {
        leave();
        resolve();
      };
      const failed = (error: unknown): void => {
        leave();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const closed = (): void => failed(failure?.error ?? new Error('The stream was closed.'));
      stream.once(event, done);
      stream.once('error', failed);
      stream.once('close', closed);
    });
  return {
    async write(value) {
      if (failure) throw failure.error;
      if (!stream.write(value)) await happened('drain');
    },
    async end() {
      const finished = happened('finish');
      stream.end();
      await finished;
    },
    async abort(error) {
      stream.destroy(error);
    },
  };
}
