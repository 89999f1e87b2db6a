import type { IncomingMessage } from 'node:http';

/** The body of a message as a web stream, read as it is asked for. Cancelling it leaves the connection alone, so that an answer can still be sent. */
export class MessageBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #message: IncomingMessage;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #isDiscarded = false;

  constructor(message: IncomingMessage) {
    this.#message = message;
    this.stream = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: () => this.#release(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Makes the rest of the message go. Whoever still reads is told, and does not take what there was for the whole. */
  discard(): void {
    this.#isDiscarded = true;
    // A message that has just lost its last reader notices that a tick later, and would not flow before.
    void this.#release()
      .catch(() => undefined)
      .then(() => process.nextTick(() => this.#message.resume()));
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    // A clone asks for its first chunk by itself, and may do so after the answer.
    if (!this.#isDiscarded) {
      this.#chunks ??= this.#message.iterator({ destroyOnReturn: false });
      const { done, value } = await this.#chunks.next();
      if (!done) return controller.enqueue(value);
      if (!this.#isDiscarded) return controller.close();
    }
    throw new Error('The request was answered before its body was read.');
  }

  async #release(): Promise<void> {
    // As long as somebody iterates, nothing else can make the rest of the message go.
    await this.#chunks?.return?.();
  }
}
