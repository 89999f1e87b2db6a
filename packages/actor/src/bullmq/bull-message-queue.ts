import { type ConnectionOptions, type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

import {
  ActorError,
  type ActorMessage,
  type ConsumeMessagesOptions,
  type Delivery,
  type MessageConsumer,
  type MessageQueue,
} from '../index.ts';

/** Options of {@link createBullMessageQueue}. One of `url` and `client` is needed. */
export interface BullMessageQueueOptions {
  /** Connects with `ioredis`, which has to be installed. */
  readonly url?: string;
  /** A client of `ioredis` 6 or `redis` 6. BullMQ opens connections of its own with its options; the client itself stays yours. */
  readonly client?: ConnectionOptions;
  /** Prefix of all keys. @default 'bull' */
  readonly prefix?: string;
  /**
   * A worker that is silent this long counts as dead, and its jobs go to another one. Workers renew twice in this time: a process whose
   * event loop hangs longer loses its jobs, too.
   * @default 30_000
   */
  readonly lockMs?: number;
  /**
   * How long sending may take, in ms; then it is refused with `QUEUE_ERROR`. A message that arrives all the same does no harm: its stream
   * has ended.
   * @default 10_000
   */
  readonly sendTimeoutMs?: number;
  /** How often workers look for jobs of dead ones, in ms. @default `lockMs` */
  readonly stalledIntervalMs?: number;
}

const DEFAULT_LOCK_MS = 30_000;
const DEFAULT_SEND_TIMEOUT_MS = 10_000;
/** BullMQ waits for jobs with blocking commands, which must not be given up and repeated. */
const UNLIMITED = { maxRetriesPerRequest: null };
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
/** The queue hands a job out for ever; `ActorWorker` decides when it is hopeless, and tells the consumer. */
const FOR_EVER = 1_000_000_000;

/**
 * Creates a queue on Redis that any number of processes share.
 *
 * @example
 * const queue = createBullMessageQueue({ url: 'redis://localhost:6379' });
 */
export function createBullMessageQueue(options: BullMessageQueueOptions): MessageQueue {
  if ((options.url === undefined) === (options.client === undefined))
    throw new ActorError('INVALID_ARGUMENT', 'Pass either `url` or `client`.');
  return new BullMessageQueue(options);
}

class BullMessageQueue implements MessageQueue {
  readonly durable = true;
  readonly #options: BullMessageQueueOptions;
  readonly #queues = new Map<string, Promise<Queue>>();
  readonly #consumers = new Set<BullConsumer>();
  #connection: Promise<ConnectionOptions> | null = null;
  /** A connection that is ours to close. */
  #own: Redis | null = null;
  #closed = false;

  constructor(options: BullMessageQueueOptions) {
    this.#options = options;
  }

  async send(address: string, message: ActorMessage): Promise<void> {
    this.#assertOpen();
    const name = encodeURIComponent(address);
    const queue = this.#queues.get(name) ?? this.#open(name);
    this.#queues.set(name, queue);
    const { sendTimeoutMs = DEFAULT_SEND_TIMEOUT_MS } = this.#options;
    try {
      await within(sendTimeoutMs, add(queue, message));
    } catch (error) {
      throw toQueueError(error, `sending to ${JSON.stringify(address)}`);
    }
  }

  consume(
    address: string,
    handle: (delivery: Delivery) => Promise<void>,
    options: ConsumeMessagesOptions = {},
  ): MessageConsumer {
    this.#assertOpen();
    const consumer = new BullConsumer({ handle, options, open: (process) => this.#work(address, process, options) });
    this.#consumers.add(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close({ drainMs: 0 })));
    for (const queue of this.#queues.values()) await (await queue).close();
    this.#own?.disconnect();
  }

  async #open(name: string): Promise<Queue> {
    const queue = new Queue(name, { connection: await this.#connect(), ...this.#prefix() });
    // Failures are reported by the calls that suffer from them; without a listener they would end the process.
    queue.on('error', () => {});
    return queue;
  }

  async #work(address: string, process: Process, { concurrency = 1 }: ConsumeMessagesOptions): Promise<Worker> {
    const { lockMs = DEFAULT_LOCK_MS, stalledIntervalMs = lockMs } = this.#options;
    return new Worker(encodeURIComponent(address), process, {
      connection: await this.#connect(),
      ...this.#prefix(),
      concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount: FOR_EVER,
      settings: { backoffStrategy: (attempts) => Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), MAX_RETRY_MS) },
    });
  }

  #prefix(): { readonly prefix?: string } {
    const { prefix } = this.#options;
    return prefix === undefined ? {} : { prefix };
  }

  #connect(): Promise<ConnectionOptions> {
    this.#connection ??= this.#createConnection();
    return this.#connection;
  }

  async #createConnection(): Promise<ConnectionOptions> {
    const { url, client } = this.#options;
    let own: Redis;
    if (client) {
      if (!isIoredis(client)) return client;
      own = client.duplicate(UNLIMITED);
    } else {
      const { Redis } = await import('ioredis');
      own = new Redis(url ?? '', UNLIMITED);
    }
    // Failures are reported by the calls that suffer from them.
    own.on('error', () => {});
    this.#own = own;
    return own;
  }

  #assertOpen(): void {
    if (this.#closed) throw new ActorError('QUEUE_CLOSED', 'The queue was closed.');
  }
}

async function add(queue: Promise<Queue>, message: ActorMessage): Promise<void> {
  // The id makes a repetition after a lost answer harmless. BullMQ takes no colons in it.
  const jobId = `s-${Buffer.from(message.streamId).toString('base64url')}`;
  await (
    await queue
  ).add(message.actorType, message, {
    jobId,
    attempts: FOR_EVER,
    backoff: { type: 'custom' },
    removeOnComplete: true,
    removeOnFail: true,
  });
}

/** A server that is away makes clients wait and try again for ever; a caller wants to know. */
function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms.`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** True for a client of `ioredis` for a single server: the only one whose options BullMQ refuses unless they are the right ones. */
function isIoredis(client: ConnectionOptions): client is Redis {
  return 'defineCommand' in client && 'duplicate' in client && client['isCluster'] !== true;
}

type Process = (job: Job, token: string | undefined, signal: AbortSignal | undefined) => Promise<void>;

interface ConsumerParts {
  readonly handle: (delivery: Delivery) => Promise<void>;
  readonly options: ConsumeMessagesOptions;
  readonly open: (process: Process) => Promise<Worker>;
}

class BullConsumer implements MessageConsumer {
  readonly #parts: ConsumerParts;
  readonly #worker: Promise<Worker | null>;
  /** One per job in work. */
  readonly #stops = new Map<string, AbortController>();
  #closing: Promise<void> | null = null;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#worker = this.#start();
  }

  close({ drainMs }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #start(): Promise<Worker | null> {
    const { open, options } = this.#parts;
    const report = (error: unknown): void => options.onError?.(toQueueError(error, 'taking messages'));
    try {
      const worker = await open((job) => this.#process(job));
      worker.on('error', report);
      // Another worker may have the job by now: what goes on here cannot be stored any more.
      worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => this.#stops.get(id)?.abort()));
      return worker;
    } catch (error) {
      report(error);
      return null;
    }
  }

  async #process(job: Job): Promise<void> {
    const stop = new AbortController();
    const id = job.id ?? '';
    this.#stops.set(id, stop);
    try {
      await this.#parts.handle({ message: job.data, signal: stop.signal });
    } finally {
      if (this.#stops.get(id) === stop) this.#stops.delete(id);
    }
  }

  async #close(drainMs: number | undefined): Promise<void> {
    const worker = await this.#worker;
    const giveBack = (): void => this.#stops.forEach((stop) => stop.abort());
    const timer = drainMs === undefined ? undefined : setTimeout(giveBack, drainMs);
    await worker?.close();
    clearTimeout(timer);
  }
}

function toQueueError(error: unknown, doing: string): ActorError {
  const message = error instanceof Error ? error.message : String(error);
  return new ActorError('QUEUE_ERROR', `The queue failed while ${doing}: ${message}`, { cause: error });
}
