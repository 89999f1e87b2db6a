/** What travels to a worker. Made of JSON. */
export interface ActorMessage {
  readonly action: 'stream';
  /** Stream that the chunks go to; it exists before the message does, and one message is sent per stream. */
  readonly streamId: string;
  readonly actorType: string;
  readonly input: unknown;
}

/** A message in the hands of a worker. */
export interface Delivery {
  readonly message: unknown;
  /** Fires when the queue has given the message to somebody else, or shuts down hard: the work must stop. */
  readonly signal: AbortSignal;
}

/** Options of {@link MessageQueue.consume}. */
export interface ConsumeMessagesOptions {
  /** Messages in work at a time. @default 1 */
  readonly concurrency?: number;
  /** Is told of failures of the queue itself, which goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

/** A subscription of a worker. */
export interface MessageConsumer {
  /**
   * Takes no more messages and resolves once those in work are done. What is still in work after `drainMs` gets its signal fired, and
   * the message goes back to the queue. Idempotent.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * Carries messages to workers, each at least once: a handler that rejects, or whose process dies, gets the message again, here or in
 * another worker, for as long as it takes. Deciding that a message is hopeless is the worker's part, because only the worker can tell
 * the consumer.
 */
export interface MessageQueue {
  /** False when messages die with the process. */
  readonly durable: boolean;
  /** Resolves once the queue has the message. @throws `QUEUE_FULL`, `QUEUE_CLOSED`, `QUEUE_ERROR` */
  send(address: string, message: ActorMessage): Promise<void>;
  /** Hands messages to `handle` until closed. */
  consume(
    address: string,
    handle: (delivery: Delivery) => Promise<void>,
    options?: ConsumeMessagesOptions,
  ): MessageConsumer;
  /** Releases what the queue holds. Idempotent. */
  close(): Promise<void>;
}
