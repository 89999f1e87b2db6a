import { isDeepStrictEqual } from 'node:util';

import { type Result, runJournalId, StreamError, type StreamStore } from '@perennial/core';

import type { Boundary } from './boundaries.ts';
import { follow } from './followers.ts';
import { inspectRun } from './inspect-run.ts';
import type { Program } from './programs.ts';
import { type CrashPoint, formatPoint, parsePoint } from './trapped-store.ts';
import { startWorker, type Worker } from './worker.ts';

/**
 * What befalls a worker at a point. `die`: nothing it does from there on reaches the store. `sleep`: it stops there, and wakes when
 * another one has the run (`until`: when that one has taken over, or when it is done). `leave`: its workflow is closed in good order.
 * `cancel`: somebody asks the run to stop, and the worker goes on.
 */
export interface Mishap {
  readonly point: CrashPoint;
  readonly action: 'die' | 'sleep' | 'leave' | 'cancel';
  /** @default 'takeover' */
  readonly until?: 'takeover' | 'end';
}

/** A case that runs within this process. */
export interface SimulatedCase {
  readonly store: StreamStore;
  readonly program: Program;
  readonly runId: string;
  readonly leaseMs: number;
  /** One for each worker but the last; a cancel is followed by the mishap of the same worker's successor. */
  readonly mishaps: readonly Mishap[];
  /** @default true */
  readonly readers?: boolean;
}

/** What became of a case. */
export interface CaseReport {
  readonly wrong: readonly string[];
  /** Mishaps whose point was reached. */
  readonly happened: readonly Mishap[];
  /** How often each worker came to each boundary. */
  readonly counts: readonly ReadonlyMap<Boundary, number>[];
}

/** Writes a mishap as the command line takes it. */
export const formatMishap = ({ point, action, until }: Mishap): string =>
  `${action}${until === 'end' ? '-long' : ''}@${formatPoint(point)}`;

/** @throws for what is none. */
export function parseMishap(text: string): Mishap {
  const [action = '', point = ''] = text.split('@');
  const name = (['die', 'sleep', 'leave', 'cancel'] as const).find((one) => action === one || action === `${one}-long`);
  if (!name) throw new Error(`${JSON.stringify(text)} is no mishap, such as "die@before:1:note: result".`);
  return { point: parsePoint(point), action: name, ...(action.endsWith('-long') && { until: 'end' }) };
}

/** The result that a program has. */
function wrongResult(program: Program, result: Result<unknown, unknown>, cancelled: boolean): string[] {
  const isWanted = cancelled
    ? !result.ok && codeOf(result.error) === 'CANCELLED'
    : program.end.outcome === 'completed'
      ? result.ok && isDeepStrictEqual(result.value, program.value)
      : !result.ok;
  return isWanted ? [] : [`the run gave ${JSON.stringify(result)}${result.ok ? '' : ` ${String(result.error)}`}`];
}

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code;

/** Runs a program through its mishaps, one worker after the other, and compares what is left with the uninterrupted run. */
export async function simulate(given: SimulatedCase): Promise<CaseReport> {
  const { store, program, runId, leaseMs, mishaps, readers = true } = given;
  const followers = readers ? follow(store, given) : null;
  const life: Life = { workers: [], graves: [], happened: [], zombies: [], onTakeover: [] };
  try {
    for (const mishap of [...mishaps, null]) {
      const outcome = await live({ store, program, runId, leaseMs }, mishap, life);
      if (outcome === 'done') break;
    }
    for (const wake of [...life.onTakeover.splice(0), ...life.zombies.splice(0)]) wake();
    const alive = life.workers.filter(({ isDead }) => !isDead).map(({ worker }) => worker);
    const results = await Promise.all(alive.map(({ result }) => result));
    await Promise.all(alive.map(({ settled }) => settled));
    const { end } = (await store.head(runJournalId(runId))) ?? {};
    const cancelled = end?.outcome === 'cancelled' && life.happened.some(({ action }) => action === 'cancel');
    const { wrong, remains } = await inspectRun(store, given, { cancelled });
    const told = results
      .filter((result) => result.ok || codeOf(result.error) !== 'CLOSED')
      .flatMap((result) => wrongResult(program, result, cancelled));
    const seen = (await followers?.compare(remains.logs.keys())) ?? [];
    const counts = life.workers.map(({ worker }) => worker.trap.counts);
    return { wrong: [...wrong, ...told, ...seen], happened: life.happened, counts };
  } finally {
    for (const bury of life.graves) bury();
    await followers?.close();
  }
}

interface Life {
  readonly workers: { readonly worker: Worker; isDead: boolean }[];
  readonly graves: (() => void)[];
  readonly happened: Mishap[];
  /** Wake the workers that sleep until the end. */
  readonly zombies: (() => void)[];
  /** Wake the workers that sleep until another one takes over. */
  readonly onTakeover: (() => void)[];
}

/** One worker's life; resolves when it is out of the way, or the run is done. */
async function live(
  given: Pick<SimulatedCase, 'store' | 'program' | 'runId' | 'leaseMs'>,
  mishap: Mishap | null,
  life: Life,
): Promise<'gone' | 'done'> {
  const gone = Promise.withResolvers<'gone'>();
  const mortal = new MortalStore(given.store);
  const entry = { worker: null as Worker | null, isDead: false };
  async function befall({ action, until = 'takeover' }: Mishap): Promise<void> {
    life.happened.push(mishap as Mishap);
    switch (action) {
      case 'die':
        entry.isDead = true;
        life.graves.push(() => mortal.bury());
        gone.resolve('gone');
        return mortal.die();
      case 'sleep': {
        const waking = new Promise<void>((wake) => (until === 'end' ? life.zombies : life.onTakeover).push(wake));
        mortal.sleep(waking);
        gone.resolve('gone');
        return waking;
      }
      case 'leave':
        void entry.worker?.workflow.close().then(() => gone.resolve('gone'));
        return;
      case 'cancel':
        await given.store.mark(runJournalId(given.runId), { type: 'cancel', reason: 'enough' }).catch(() => undefined);
    }
  }
  const worker = startWorker({
    ...given,
    store: mortal,
    point: mishap?.point,
    onPoint: () => (mishap ? befall(mishap) : undefined),
    onEvent: ({ type }) => {
      if (type === 'run_resumed') for (const wake of life.onTakeover.splice(0)) wake();
    },
  });
  entry.worker = worker;
  life.workers.push(entry as { worker: Worker; isDead: boolean });
  return Promise.race([gone.promise, worker.settled.then((): 'done' => 'done')]);
}

/** A store as a worker sees it that may die: then no call is carried out or answered any more. */
class MortalStore implements StreamStore {
  readonly #store: StreamStore;
  readonly #burial = Promise.withResolvers<never>();
  #isDead = false;
  #sleeping: Promise<void> | null = null;

  constructor(store: StreamStore) {
    this.#store = store;
    this.#burial.promise.catch(() => undefined);
  }

  get capabilities(): StreamStore['capabilities'] {
    return this.#store.capabilities;
  }

  die(): Promise<never> {
    this.#isDead = true;
    return this.#burial.promise;
  }

  /** Holds all calls, signs of life included, back until then. */
  sleep(until: Promise<void>): void {
    this.#sleeping = until;
    void until.then(() => (this.#sleeping = null));
  }

  /** Lets what still waits for an answer go. */
  bury(): void {
    this.#burial.reject(new StreamError('STORE_CLOSED', 'This worker is dead.'));
  }

  readonly create: StreamStore['create'] = (...args) => this.#pass(() => this.#store.create(...args));
  readonly append: StreamStore['append'] = (...args) => this.#pass(() => this.#store.append(...args));
  readonly read: StreamStore['read'] = (...args) => this.#pass(() => this.#store.read(...args));
  readonly wait: StreamStore['wait'] = (...args) => this.#pass(() => this.#store.wait(...args));
  readonly head: StreamStore['head'] = (...args) => this.#pass(() => this.#store.head(...args));
  readonly producer: StreamStore['producer'] = (...args) => this.#pass(() => this.#store.producer(...args));
  readonly delete: StreamStore['delete'] = (...args) => this.#pass(() => this.#store.delete(...args));
  readonly list: StreamStore['list'] = (...args) => this.#pass(() => this.#store.list(...args));
  readonly mark: StreamStore['mark'] = (...args) => this.#pass(() => this.#store.mark(...args));
  readonly close: StreamStore['close'] = () => this.#store.close();

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isDead) return this.#burial.promise;
    if (this.#sleeping) await this.#sleeping;
    const answer = await call();
    return this.#isDead ? this.#burial.promise : answer;
  }
}
