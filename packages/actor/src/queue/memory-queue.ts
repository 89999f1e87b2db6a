import { ActorError, assertWhole } from '../errors.ts';
import type { ConsumeMessagesOptions, Delivery, MessageConsumer, MessageQueue } from './message-queue.ts';

/** Options of {@link createMemoryQueue}. */
export interface MemoryQueueOptions {
  /** Messages that may wait per address before `send` is refused with `QUEUE_FULL`. @default 10_000 */
  readonly maxPending?: number;
  /** Wait before a message whose handler rejected is handed out again, in ms; doubles each time, up to 30 s. @default 100 */
  readonly retryDelayMs?: number;
}

const DEFAULT_MAX_PENDING = 10_000;
const DEFAULT_RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 30_000;

interface Pending {
  /** JSON, as on every other queue: what survives here survives there. */
  readonly text: string;
  readonly tries: number;
}

/** A queue within one process, for tests and for servers that do their own work. Its messages die with the process. */
export function createMemoryQueue(options: MemoryQueueOptions = {}): MessageQueue {
  const { maxPending = DEFAULT_MAX_PENDING, retryDelayMs = DEFAULT_RETRY_DELAY_MS } = options;
  assertWhole('maxPending', maxPending);
  assertWhole('retryDelayMs', retryDelayMs);
  const addresses = new Map<string, Address>();
  let closed = false;
  const at = (name: string): Address => {
    const address = addresses.get(name) ?? new Address(maxPending, retryDelayMs);
    addresses.set(name, address);
    return address;
  };
  const assertOpen = (): void => {
    if (closed) throw new ActorError('QUEUE_CLOSED', 'The queue was closed.');
  };
  return {
    durable: false,
    async send(address, message) {
      assertOpen();
      at(address).send(JSON.stringify(message), address);
    },
    consume(address, handle, consumeOptions) {
      assertOpen();
      return at(address).consume(handle, consumeOptions);
    },
    async close() {
      closed = true;
      await Promise.all([...addresses.values()].map((address) => address.close()));
    },
  };
}

class Address {
  readonly #maxPending: number;
  readonly #retryDelayMs: number;
  readonly #pending: Pending[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #consumers = new Set<MemoryConsumer>();

  constructor(maxPending: number, retryDelayMs: number) {
    this.#maxPending = maxPending;
    this.#retryDelayMs = retryDelayMs;
  }

  send(text: string, name: string): void {
    if (this.#pending.length >= this.#maxPending)
      throw new ActorError('QUEUE_FULL', `${this.#pending.length} messages wait at "${name}" already.`);
    this.#pending.push({ text, tries: 0 });
    this.#deal();
  }

  consume(handle: (delivery: Delivery) => Promise<void>, options: ConsumeMessagesOptions = {}): MemoryConsumer {
    const consumer = new MemoryConsumer(handle, options, {
      onFree: () => this.#deal(),
      onReturned: (pending) => this.#later(pending),
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    this.#deal();
    return consumer;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#pending.length = 0;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close({ drainMs: 0 })));
  }

  /** Hands messages out as long as somebody is free. */
  #deal(): void {
    for (const consumer of this.#consumers) {
      while (consumer.free > 0) {
        const next = this.#pending.shift();
        if (!next) return;
        consumer.take(next);
      }
    }
  }

  #later(pending: Pending): void {
    const delayMs = Math.min(this.#retryDelayMs * 2 ** pending.tries, MAX_RETRY_DELAY_MS);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#pending.push({ text: pending.text, tries: pending.tries + 1 });
      this.#deal();
    }, delayMs);
    this.#timers.add(timer);
  }
}

interface ConsumerEvents {
  readonly onFree: () => void;
  readonly onReturned: (pending: Pending) => void;
  readonly onClosed: () => void;
}

class MemoryConsumer implements MessageConsumer {
  readonly #handle: (delivery: Delivery) => Promise<void>;
  readonly #options: ConsumeMessagesOptions;
  readonly #events: ConsumerEvents;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #closing = false;

  constructor(handle: (delivery: Delivery) => Promise<void>, options: ConsumeMessagesOptions, events: ConsumerEvents) {
    assertWhole('concurrency', options.concurrency);
    this.#handle = handle;
    this.#options = options;
    this.#events = events;
  }

  get free(): number {
    return this.#closing ? 0 : (this.#options.concurrency ?? 1) - this.#working.size;
  }

  take(pending: Pending): void {
    const work = (async () => this.#handle({ message: JSON.parse(pending.text), signal: this.#stop.signal }))()
      .catch(() => this.#events.onReturned(pending))
      .finally(() => {
        this.#working.delete(work);
        this.#events.onFree();
      });
    this.#working.add(work);
  }

  async close({ drainMs }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing = true;
    const timer = drainMs === undefined ? undefined : setTimeout(() => this.#stop.abort(), drainMs);
    await Promise.all(this.#working);
    clearTimeout(timer);
    this.#events.onClosed();
  }
}
