/**
 * The readers of this process that wait for streams to go on.
 *
 * Each stream somebody waits for has a tail: one subscription to the stream's channel, the newest head, and the waiters. A message says
 * only that something happened; the head is then read once, however many wait. While its subscription holds and no message has come since
 * the head was read, the head is `current` and a wait costs no command; otherwise the next wait reads the head first. A slow, jittered
 * poll covers messages that never arrived.
 */
import {
  aborted,
  createStreamWaiters,
  type StreamError,
  type StreamHead,
  StreamNotFoundError,
  type StreamWaiters,
  toStoreError,
  type WaitOptions,
} from '@perennial/core';

import type { RedisSubscriber, RedisSubscriberEvents } from '../clients/port.ts';
import { lengthOf } from '../codec/head.ts';
import { toRedisError } from '../errors.ts';

/** See the head of this file. */
export interface LiveTails {
  /** Waits like the store port says. */
  wait(id: string, options: WaitOptions): Promise<StreamHead>;
  /** Takes note of a head that this process learnt some other way. */
  observe(head: StreamHead): void;
  /** This process deleted the stream, or found it gone. */
  gone(id: string): void;
  /** Rejects everybody who waits, and lets go of the subscriptions. */
  close(error: StreamError): Promise<void>;
}

/** What tails need from the store. */
export interface LiveTailsOptions {
  readonly channelOf: (id: string) => string;
  /** Reads the head, trying again for a while when the server is away; null when the stream does not exist. */
  readonly fetch: (id: string) => Promise<StreamHead | null>;
  /** Opens the connection that listens; called with the first wait. */
  readonly subscribe: (events: RedisSubscriberEvents) => Promise<RedisSubscriber>;
  /** Mean time in ms between two polls of a stream that somebody waits for. */
  readonly pollMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

interface Tail {
  readonly id: string;
  readonly channel: string;
  readonly waiters: StreamWaiters;
  head: StreamHead | null;
  /** The subscription is confirmed: from now on every change sends a message. */
  listening: boolean;
  /** Every change since the head was read sends, or would have sent, a message. */
  current: boolean;
  /** A head is being read. */
  reading: Promise<void> | null;
  /** One will be read soon, for those who ask until then. */
  queued: Promise<void> | null;
  subscribed: Promise<void> | null;
  /** Calls of `wait` under way: the tail may not be dropped meanwhile. */
  pins: number;
  /** When the tail is next polled, or dropped when nobody waits, on the monotonic clock. */
  dueAt: number;
}

/** A reader reads and then waits again: dropping the subscription in between would cost two commands per record. */
const LINGER_MS = 10_000;
/** Connections that break, break together: their events are answered once. */
const RESET_DELAY_MS = 20;

/** Creates the tails. Nothing is opened before the first wait. */
export function createLiveTails(options: LiveTailsOptions): LiveTails {
  return new Tails(options);
}

class Tails implements LiveTails {
  readonly #options: LiveTailsOptions;
  readonly #tails = new Map<string, Tail>();
  readonly #byChannel = new Map<string, Tail>();
  #subscriber: Promise<RedisSubscriber> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resetTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** The user may not listen: waiting would mean polling without a word. */
  #refused: StreamError | null = null;

  constructor(options: LiveTailsOptions) {
    this.#options = options;
  }

  async wait(id: string, options: WaitOptions): Promise<StreamHead> {
    const tail = this.#tails.get(id) ?? this.#open(id);
    tail.pins++;
    try {
      if (!tail.current || !tail.head) await unlessAborted(this.#refresh(tail), options.signal);
      if (!tail.head) throw new StreamNotFoundError(id);
      if (this.#refused) throw this.#refused;
      const head = await tail.waiters.wait(tail.head, options);
      if (options.timeoutMs === undefined || isSatisfied(head, options)) return head;
      // Timed out. The head may be behind in what wakes nobody, such as the lease.
      await this.#refresh(tail);
      if (!tail.head) throw new StreamNotFoundError(id);
      return tail.head;
    } finally {
      tail.pins--;
      if (tail.pins === 0 && tail.head) tail.dueAt = performance.now() + LINGER_MS;
      else if (tail.pins === 0) this.#drop(tail);
    }
  }

  observe(head: StreamHead): void {
    const tail = this.#tails.get(head.id);
    if (!tail) return;
    if (tail.head?.incarnation === head.incarnation) this.#accept(tail, head);
    else {
      // Which of the two streams of this id came later is for the server to say.
      tail.current = false;
      if (tail.pins > 0) void this.#refresh(tail).catch(ignore);
    }
  }

  gone(id: string): void {
    const tail = this.#tails.get(id);
    if (tail) this.#accept(tail, null);
  }

  async close(error: StreamError): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#resetTimer);
    for (const tail of this.#tails.values()) tail.waiters.fail(error);
    this.#tails.clear();
    this.#byChannel.clear();
    try {
      await (await this.#subscriber)?.close();
    } catch {
      // What could not be opened need not be closed.
    }
  }

  #open(id: string): Tail {
    const channel = this.#options.channelOf(id);
    const tail: Tail = {
      id,
      channel,
      // Only asked while somebody waits, and then there is a head.
      waiters: createStreamWaiters(() => tail.head as StreamHead),
      head: null,
      listening: false,
      current: false,
      reading: null,
      queued: null,
      subscribed: null,
      pins: 0,
      dueAt: this.#nextPoll(),
    };
    this.#tails.set(id, tail);
    this.#byChannel.set(channel, tail);
    this.#subscribe(tail);
    this.#arm();
    return tail;
  }

  #subscribe(tail: Tail): void {
    this.#subscriber ??= this.#options
      .subscribe({ onMessage: (channel) => this.#onMessage(channel), onReset: () => this.#onReset() })
      .catch((error: unknown) => {
        this.#subscriber = null;
        throw error;
      });
    const subscribed = this.#subscriber
      .then((subscriber) => subscriber.subscribe(tail.channel))
      .then(async () => {
        if (tail.subscribed !== subscribed || this.#tails.get(tail.id) !== tail) return;
        tail.listening = true;
        // What happened before the subscription was confirmed sent no message to us.
        if (tail.pins > 0) await this.#refresh(tail);
      })
      .catch((error: unknown) => {
        if (tail.subscribed !== subscribed) return;
        // The next look at the tails tries again.
        tail.subscribed = null;
        tail.dueAt = 0;
        const failure = toRedisError(error, `listening to stream ${tail.id}`);
        if (failure.code !== 'FORBIDDEN') return;
        this.#refused = failure;
        tail.waiters.fail(failure);
      });
    tail.subscribed = subscribed;
  }

  #onMessage(channel: string): void {
    const tail = this.#byChannel.get(channel);
    if (!tail) return;
    if (tail.waiters.size > 0 || tail.reading || tail.queued) void this.#refresh(tail).catch(ignore);
    else tail.current = false;
  }

  #onReset(): void {
    for (const tail of this.#tails.values()) {
      tail.listening = false;
      tail.current = false;
    }
    if (this.#resetTimer !== undefined || this.#closed) return;
    this.#resetTimer = setTimeout(() => {
      this.#resetTimer = undefined;
      for (const tail of this.#tails.values()) {
        if (tail.pins > 0) this.#subscribe(tail);
        else this.#drop(tail);
      }
    }, RESET_DELAY_MS);
  }

  /** Reads the head, once for all who ask before the command is sent, at the end of this turn or after the one under way. */
  #refresh(tail: Tail): Promise<void> {
    const start = (): Promise<void> => {
      tail.queued = null;
      tail.reading = this.#readHead(tail).finally(() => {
        tail.reading = null;
      });
      return tail.reading;
    };
    tail.queued ??= (tail.reading ?? endOfTurn()).then(start, start);
    return tail.queued;
  }

  async #readHead(tail: Tail): Promise<void> {
    const { listening } = tail;
    try {
      const head = await this.#options.fetch(tail.id);
      tail.current = listening && tail.listening;
      if (this.#tails.get(tail.id) === tail) this.#accept(tail, head);
    } catch (error) {
      const failure = toStoreError(error, `waiting for stream ${tail.id}`);
      // What may pass leaves the waiters waiting; the next message, reconnection or poll reads again.
      tail.current = false;
      if (!failure.retryable) tail.waiters.fail(failure);
      throw failure;
    }
  }

  #accept(tail: Tail, head: StreamHead | null): void {
    const before = tail.head;
    const same = before !== null && head !== null && before.incarnation === head.incarnation;
    if (before && !same) tail.waiters.fail(new StreamNotFoundError(tail.id));
    // Answers may arrive out of order in a Cluster.
    if (same && lengthOf(head) < lengthOf(before)) return;
    tail.head = head;
    if (head) tail.waiters.notify(head);
  }

  #nextPoll(): number {
    return performance.now() + this.#options.pollMs * (0.75 + this.#options.random() / 2);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#closed || this.#tails.size === 0) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#poll();
        this.#arm();
      },
      Math.min(this.#options.pollMs, LINGER_MS) / 4,
    );
    this.#timer.unref();
  }

  #poll(): void {
    const now = performance.now();
    for (const tail of this.#tails.values()) {
      if (now < tail.dueAt) continue;
      if (tail.pins === 0) this.#drop(tail);
      else {
        tail.dueAt = this.#nextPoll();
        if (tail.subscribed) void this.#refresh(tail).catch(ignore);
        else this.#subscribe(tail);
      }
    }
  }

  #drop(tail: Tail): void {
    if (this.#tails.get(tail.id) !== tail) return;
    this.#tails.delete(tail.id);
    this.#byChannel.delete(tail.channel);
    void this.#subscriber?.then((subscriber) => subscriber.unsubscribe(tail.channel)).catch(ignore);
  }
}

/** After all microtasks: a thousand readers that were woken together ask in as many. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

function isSatisfied(head: StreamHead, { position, cancel = false }: WaitOptions): boolean {
  return head.nextPosition > position || head.end !== null || (cancel && head.cancel !== null);
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) {
    promise.catch(ignore);
    throw aborted(signal);
  }
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(aborted(signal));
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function ignore(): void {}
