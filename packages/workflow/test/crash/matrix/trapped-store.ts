import type { StreamStore } from '@perennial/core';

import { type Boundary, BOUNDARIES, BoundaryMap } from './boundaries.ts';

/** A place in a worker's life: the n-th time it comes to a boundary. */
export interface CrashPoint {
  readonly boundary: Boundary;
  /** One-based. */
  readonly nth: number;
  /** `during`: the call has been made, and nothing is known of its answer. */
  readonly when: 'before' | 'during' | 'after';
}

/** Writes a point as the command line takes it. */
export const formatPoint = ({ when, nth, boundary }: CrashPoint): string => `${when}:${nth}:${boundary}`;

/** @throws for what is none. */
export function parsePoint(text: string): CrashPoint {
  const [when, nth, name] = text.split(/:(.*?):/);
  const boundary = BOUNDARIES.find((one) => one === name);
  if ((when !== 'before' && when !== 'during' && when !== 'after') || !boundary || !(Number(nth) > 0))
    throw new Error(`${JSON.stringify(text)} is no point, such as "before:1:note: result".`);
  return { when, nth: Number(nth), boundary };
}

/** Options of {@link TrappedStore}. */
export interface TrapOptions {
  readonly runId: string;
  /** @default none: calls are only counted */
  readonly point?: CrashPoint | undefined;
  /** What happens at the point. The call, or its answer, waits until this resolves. */
  readonly onPoint?: () => Promise<void> | void;
}

/** Stands between one worker and its store: counts the boundaries that the worker comes to, and springs at one of them. */
export class TrappedStore implements StreamStore {
  readonly counts: Map<Boundary, number> = new Map();
  readonly #store: StreamStore;
  readonly #options: TrapOptions;
  readonly #boundaries: BoundaryMap;
  #hasFenced = false;
  #isSprung = false;

  constructor(store: StreamStore, options: TrapOptions) {
    this.#store = store;
    this.#options = options;
    this.#boundaries = new BoundaryMap(options.runId, () => this.#hasFenced);
  }

  get capabilities(): StreamStore['capabilities'] {
    return this.#store.capabilities;
  }

  get isSprung(): boolean {
    return this.#isSprung;
  }

  readonly create: StreamStore['create'] = (id, options) =>
    this.#pass(this.#boundaries.create(id), () => this.#store.create(id, options));

  readonly append: StreamStore['append'] = (id, request) =>
    this.#pass(this.#boundaries.append(id, request), () => this.#store.append(id, request));

  readonly read: StreamStore['read'] = (id, options) =>
    this.#pass(this.#boundaries.read(id), () => this.#store.read(id, options));

  readonly wait: StreamStore['wait'] = (id, options) => this.#store.wait(id, options);
  readonly head: StreamStore['head'] = (id) => this.#store.head(id);
  readonly producer: StreamStore['producer'] = (id, producerId) => this.#store.producer(id, producerId);
  readonly list: StreamStore['list'] = (options) => this.#store.list(options);
  readonly close: StreamStore['close'] = () => this.#store.close();

  readonly delete: StreamStore['delete'] = (id) => this.#pass(['removal from the index'], () => this.#store.delete(id));

  readonly mark: StreamStore['mark'] = (id, mark) => {
    if (mark.type === 'fence') this.#hasFenced = true;
    return this.#pass(this.#boundaries.mark(mark), () => this.#store.mark(id, mark));
  };

  /** A boundary that is no call of the store; nothing is told from before and after it. */
  pass(boundary: Boundary): void {
    // A worker that dies here is not told.
    this.#pass([boundary], async () => undefined).catch(() => undefined);
  }

  async #pass<T>(boundaries: readonly Boundary[], call: () => Promise<T>): Promise<T> {
    const { point } = this.#options;
    let isHere = false;
    for (const boundary of boundaries) {
      const nth = (this.counts.get(boundary) ?? 0) + 1;
      this.counts.set(boundary, nth);
      isHere ||= point?.boundary === boundary && point.nth === nth;
    }
    if (!isHere) return call();
    if (point?.when === 'before') await this.#spring();
    const answer = call();
    if (point?.when === 'before') return answer;
    if (point?.when === 'after') await answer;
    else await new Promise((resolve) => setImmediate(resolve));
    await this.#spring();
    return answer;
  }

  async #spring(): Promise<void> {
    this.#isSprung = true;
    await this.#options.onPoint?.();
  }
}

/** The points of a worker that came to these boundaries. */
export function pointsOf(counts: ReadonlyMap<Boundary, number>, moments: readonly CrashPoint['when'][]): CrashPoint[] {
  return [...counts].flatMap(([boundary, count]) =>
    Array.from({ length: count }, (_, i) => i + 1).flatMap((nth) =>
      (boundary === 'wait before a retry' ? (['after'] as const) : moments).map((when) => ({ boundary, nth, when })),
    ),
  );
}
