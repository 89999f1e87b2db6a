import type { StreamError } from '../log/errors.ts';

/** One producer's numbered lane through an append queue. */
export class AppendLane {
  readonly id: string;
  readonly epoch: number;
  /** Sequence of the next entry. */
  nextSeq: number;
  /** Sequences below this are stored. */
  storedSeq: number;
  /** Sequences below this have been on their way to the store: what became of those not stored is unknown. */
  sentSeq: number;
  /** Why entries of this lane were refused; the lane takes no more. */
  failure: StreamError | null = null;
  readonly #flushes: { readonly seq: number; readonly settle: (error: StreamError | null) => void }[] = [];

  constructor(id: string, epoch: number, seq: number) {
    this.id = id;
    this.epoch = epoch;
    this.nextSeq = seq;
    this.storedSeq = seq;
    this.sentSeq = seq;
  }

  /** True while it is unknown whether something that was sent is stored. */
  get isUnknown(): boolean {
    return this.storedSeq < this.sentSeq;
  }

  /** Resolves once everything pushed so far is stored (null), or with the failure that prevents it. */
  whenStored(): Promise<StreamError | null> {
    if (this.failure || this.storedSeq >= this.nextSeq) return Promise.resolve(this.failure);
    const seq = this.nextSeq;
    return new Promise((settle) => this.#flushes.push({ seq, settle }));
  }

  /** Resolves when the store has answered for something that was sent, or failed to. */
  whenHeard(): Promise<void> {
    const seq = this.storedSeq + 1;
    return new Promise((resolve) => this.#flushes.unshift({ seq, settle: () => resolve() }));
  }

  /** Everything sent was answered: nothing is unknown. */
  heard(): void {
    this.sentSeq = this.storedSeq;
  }

  /** Sequences up to `seq` are stored. */
  stored(seq: number): void {
    this.storedSeq = Math.max(this.storedSeq, seq);
    while (this.#flushes[0] && this.#flushes[0].seq <= this.storedSeq) this.#flushes.shift()?.settle(null);
  }

  /** Reports a failure to everybody who waits; `final` closes the lane. */
  fail(error: StreamError, final: boolean): void {
    if (final) this.failure ??= error;
    for (const flush of this.#flushes.splice(0)) flush.settle(error);
  }
}
