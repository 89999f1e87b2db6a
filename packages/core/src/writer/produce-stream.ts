import { type StreamEnd, toStreamFailure } from '../log/end.ts';
import { isStreamError } from '../log/errors.ts';
import type { StreamWriteError } from '../log/errors.ts';
import type { AsyncResult } from '../result.ts';
import { type StreamAddress, streamIdOf } from '../stream-address.ts';
import { getStreamWriter, type StreamWriter, type StreamWriterOptions } from './writer.ts';

/** What {@link produceStream} returns at once. */
export interface ProducedStream {
  readonly streamId: string;
  /** Resolves once the stream exists, so that a reader can be sent to it; or with the reason why it cannot. */
  readonly opened: AsyncResult<void, StreamWriteError>;
  /** Resolves with the way the stream ended, once that is durable. Never rejects. */
  readonly done: Promise<StreamEnd>;
}

const DEFAULT_LEASE_MS = 15_000;

/**
 * Runs `produce` as the producer of one stream, from its creation to its end: the stream completes when the function returns, fails when
 * it throws (readers see the message of a {@link PublicError} only), and is cancelled when a cancel request made it stop. The lease is
 * renewed meanwhile, so that readers learn of a process that died.
 *
 * @example
 * const { streamId } = produceStream<string>({ store, streamId: `answers/${id}` }, async (writer) => {
 *   for await (const token of model.stream(prompt, { signal: writer.signal })) await writer.write(token);
 * });
 */
export function produceStream<T>(
  options: StreamWriterOptions & StreamAddress,
  produce: (writer: StreamWriter<T>) => Promise<void>,
): ProducedStream {
  const writer = getStreamWriter<T>({ leaseMs: DEFAULT_LEASE_MS, ...options });
  const opened = writer.open();
  return { streamId: streamIdOf(options), opened, done: run(writer, opened, produce) };
}

async function run<T>(
  writer: StreamWriter<T>,
  opened: AsyncResult<void, StreamWriteError>,
  produce: (writer: StreamWriter<T>) => Promise<void>,
): Promise<StreamEnd> {
  const open = await opened;
  if (!open.ok) return failed(open.error);
  let end: StreamEnd;
  try {
    const { signal } = writer;
    await produce(writer);
    end = signal.aborted ? cancelled(signal) : { outcome: 'completed' };
  } catch (thrown) {
    end = writer.signal.aborted ? cancelled(writer.signal) : failed(thrown);
  }
  const ended = await writer.end(end);
  // A producer that ended its stream itself decided how: the first end stands.
  return ended.ok ? (writer.given ?? end) : failed(ended.error);
}

function failed(thrown: unknown): StreamEnd {
  return { outcome: 'failed', error: toStreamFailure(thrown) };
}

function cancelled(signal: AbortSignal): StreamEnd {
  const reason: unknown =
    isStreamError(signal.reason) && signal.reason.code === 'CANCELLED' ? signal.reason.cause : undefined;
  return { outcome: 'cancelled', ...(typeof reason === 'string' && { reason }) };
}
