/** Which items are timed: a share from 0 (none) to 1 (each), or `auto`: each up to about 10,000 a second, fewer when there are more. */
export type SamplingRate = number | 'auto';

/** Samples per ms that `auto` aims at: their cost then stays below a thousandth of a core. */
const AUTO_SAMPLES_PER_MS = 10;
const MAX_GAP = 1 << 20;
/**
 * Samples from one look at the clock to the next. A look at each sample would take items that finish at the same moment for a fast stream,
 * and time next to nothing of a slow parallel step.
 */
const SAMPLES_PER_LOOK = 32;

/** Says how many items to let pass before the next one is timed. Gaps are jittered, so that periodic input gives no periodic sample. */
export class Sampler {
  readonly #rate: SamplingRate;
  readonly #random: () => number;
  #gap = 1;
  #lastAt = -1;
  /** Samples and items since the last look. */
  #samples = 0;
  #items = 0;

  constructor(rate: SamplingRate, random: () => number) {
    this.#rate = rate;
    this.#random = random;
  }

  /** Items up to and including the first one to time. */
  first(): number {
    return this.#rate === 0 ? MAX_GAP : 1;
  }

  /** Items up to and including the next one to time; `now` in ms. */
  next(now: number): number {
    if (this.#rate === 0) return MAX_GAP;
    const gap = this.#rate === 'auto' ? this.#autoGap(now) : 1 / this.#rate;
    if (gap <= 1) return 1;
    return Math.min(MAX_GAP, 1 + Math.floor(this.#random() * (2 * gap - 1)));
  }

  get enabled(): boolean {
    return this.#rate !== 0;
  }

  #autoGap(now: number): number {
    if (this.#lastAt < 0) this.#lastAt = now;
    this.#items += this.#gap;
    if (++this.#samples < SAMPLES_PER_LOOK) return this.#gap;
    const elapsedMs = now - this.#lastAt;
    const wanted = elapsedMs > 0 ? this.#items / (elapsedMs * AUTO_SAMPLES_PER_MS) : MAX_GAP;
    // One odd measurement must not stop the sampling for long.
    this.#gap = Math.min(Math.max(wanted, 1), this.#gap * 2, MAX_GAP);
    this.#lastAt = now;
    this.#samples = 0;
    this.#items = 0;
    return this.#gap;
  }
}
