import type { StreamStore } from '@perennial/core';

import type { AI } from '../ai/ai.ts';
import { DEFAULT_ADDRESS } from '../config/config.ts';
import { ActorError, assertObject, assertWhole, invalid, quote, UnknownActorError, warn } from '../errors.ts';
import type { ActorMessage, Delivery, MessageConsumer, MessageQueue } from '../queue/message-queue.ts';
import type { ActorRegistry } from '../registry/registry.ts';
import { JobAttempt } from './job-attempt.ts';

/** Options of {@link ActorWorker}. */
export interface ActorWorkerOptions {
  readonly queue: MessageQueue;
  /** Where the chunks go; the callers'. */
  readonly store: StreamStore;
  /** The actors that this worker runs. */
  readonly registry: ActorRegistry;
  /** Where to listen. @default 'actors' */
  readonly address?: string;
  /** Jobs in work at a time. @default 1 */
  readonly concurrency?: number;
  /** The model, instead of the registry's. @default the registry's */
  readonly ai?: AI;
  /** Attempts at a job before it fails for good with `WORKER_LOST`: each death, hand-over at a shutdown and retry is one. @default 5 */
  readonly maxAttempts?: number;
  /** Whether what an actor threw is worth another attempt. @default never: it is the job's last chunk */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Chunks that may wait for the store before the actor pauses. @default 256 */
  readonly highWaterMark?: number;
  /**
   * Whether jobs that are not done when the worker must stop go back to the queue. Otherwise they fail with `WORKER_LOST`: for a queue
   * that dies with the process.
   * @default true
   */
  readonly handOver?: boolean;
  /** On a queue that dies with the process: a worker that is silent this long is dead, and readers end its jobs. In ms. @default 15_000 */
  readonly leaseMs?: number;
  /** Is told of whatever makes a job be handed out again, of failures of the queue, and of messages that are none. @default process.emitWarning */
  readonly onError?: (error: unknown) => void;
}

const DEFAULT_MAX_ATTEMPTS = 5;
const DEFAULT_LEASE_MS = 15_000;
const DEFAULT_DRAIN_MS = 30_000;

/**
 * Runs actors for remote callers. Any number of workers, in any number of processes, share the messages of an address.
 *
 * @example
 * const worker = new ActorWorker({ queue, store, registry, concurrency: 10 });
 * worker.start();
 * process.once('SIGTERM', () => void worker.close());
 */
export class ActorWorker {
  readonly #options: ActorWorkerOptions;
  #consumer: MessageConsumer | null = null;

  /** @throws `INVALID_ARGUMENT`. Nothing is opened before {@link ActorWorker.start}. */
  constructor(options: ActorWorkerOptions) {
    assertObject('queue', options.queue);
    assertObject('store', options.store);
    assertObject('registry', options.registry);
    assertWhole('concurrency', options.concurrency);
    assertWhole('maxAttempts', options.maxAttempts);
    assertWhole('highWaterMark', options.highWaterMark);
    assertWhole('leaseMs', options.leaseMs);
    this.#options = options;
  }

  /** Takes messages from now on. */
  start(): void {
    if (this.#consumer) throw invalid('The worker was started before.');
    const { queue, address = DEFAULT_ADDRESS, concurrency, onError = warn } = this.#options;
    this.#consumer = queue.consume(address, (delivery) => this.#handle(delivery), {
      ...(concurrency !== undefined && { concurrency }),
      onError,
    });
  }

  /**
   * Takes no more messages, and resolves once the jobs in work are done. Jobs that take longer than `drainMs` are handed to another worker,
   * which begins them anew. Queue and store stay open. Idempotent.
   */
  async close({ drainMs = DEFAULT_DRAIN_MS }: { readonly drainMs?: number } = {}): Promise<void> {
    await this.#consumer?.close({ drainMs });
  }

  #report(error: unknown): void {
    const { onError = warn } = this.#options;
    onError(error);
  }

  async #handle(delivery: Delivery): Promise<void> {
    try {
      await this.processStreamRequest(delivery.message, delivery);
    } catch (error) {
      // What is handed over at a shutdown has not failed.
      if (!delivery.signal.aborted) this.#report(error);
      throw error;
    }
  }

  /**
   * Runs one job to its end. For queues of your own; {@link ActorWorker.start} does it for every message.
   *
   * @throws When the job has to be handed out again: the store failed, the delivery's signal fired, or `isRetryable` said so.
   */
  async processStreamRequest(message: unknown, delivery: Pick<Delivery, 'signal'> = UNDISTURBED): Promise<void> {
    const {
      registry,
      queue,
      store,
      ai,
      maxAttempts = DEFAULT_MAX_ATTEMPTS,
      isRetryable,
      highWaterMark,
    } = this.#options;
    const { handOver = true, leaseMs = DEFAULT_LEASE_MS } = this.#options;
    if (!isActorMessage(message)) {
      // Handing it out again would not make it better.
      this.#report(new ActorError('INVALID_ARGUMENT', `This is no message for actors: ${quote(message)}.`));
      return;
    }
    const attempt = await JobAttempt.take(store, message.streamId, highWaterMark);
    if (!attempt) return;
    if (attempt.number > maxAttempts) {
      await attempt.fail(lost(maxAttempts));
      return;
    }
    const { actorType } = message;
    if (!registry.has(actorType)) {
      const known = registry.list().map(({ type }) => type);
      await attempt.fail(new UnknownActorError(actorType, known));
      return;
    }
    await attempt.run({
      open: (context) => registry.get(actorType).stream(message.input, { ...context, ...(ai && { ai }) }),
      signal: delivery.signal,
      retry: (error) => attempt.number < maxAttempts && (isRetryable?.(error) ?? false),
      handOver,
      // Who hands messages out again notices a death; a reader that did, too, would end what another worker is about to go on with.
      leaseMs: queue.durable ? null : leaseMs,
    });
  }
}

/** A delivery that nobody takes away. */
const UNDISTURBED: Pick<Delivery, 'signal'> = { signal: new AbortController().signal };

function lost(attempts: number): ActorError {
  return new ActorError('WORKER_LOST', `The work was begun ${attempts} times, and no worker lived to finish it.`);
}

function isActorMessage(message: unknown): message is ActorMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { action, streamId, actorType } = message as Partial<Record<keyof ActorMessage, unknown>>;
  return action === 'stream' && typeof streamId === 'string' && streamId !== '' && typeof actorType === 'string';
}
