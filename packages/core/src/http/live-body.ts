/** Where the bytes of a {@link LiveBody} go. */
export interface BodySink {
  /** Takes a chunk; false when the body should wait for {@link LiveBody.onDrain} before it writes another. */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. */
  end(): void;
  /** The body cannot be completed: the client must not take what it has for all there is. */
  fail(error: Error): void;
}

/**
 * A body that is written as things happen. It goes to a sink, because a web stream in between, with its promises and queues, costs more than
 * all else that a delivery takes.
 */
export interface LiveBody {
  /** Starts to write. Called once, unless the client is gone before. */
  start(sink: BodySink): void;
  /** The sink has room again. */
  onDrain(): void;
  /** The client has gone, or shall have no more. Idempotent. */
  close(): void;
}

/** A live body as a web stream: one chunk waits in it at most. */
export function toReadableStream(body: LiveBody): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) =>
        body.start({
          write(chunk) {
            // Calls `pull`, and so `onDrain`, at once when the client was waiting.
            controller.enqueue(chunk);
            return false;
          },
          end() {
            try {
              controller.close();
            } catch {
              // The client had cancelled the body already.
            }
          },
          fail: (error) => controller.error(error),
        }),
      pull: () => body.onDrain(),
      cancel: () => body.close(),
    },
    { highWaterMark: 1 },
  );
}
