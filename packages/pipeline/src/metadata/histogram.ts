/** Buckets per octave: a value is known to within 1/128 of itself. */
const BUCKET_BITS = 6;
/** Exponent of the smallest value told apart: 2^-17 ms is about 8 ns. */
const LEAST_EXPONENT = -17;
/** Exponent past the largest value told apart: 2^20 ms is about 17 minutes. */
const MOST_EXPONENT = 20;

const SHIFT = 20 - BUCKET_BITS;
const FIRST = ((1023 + LEAST_EXPONENT) << 20) >>> SHIFT;
const BUCKETS = (MOST_EXPONENT - LEAST_EXPONENT) << BUCKET_BITS;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Which of the two words holds sign, exponent and the leading digits. */
const HIGH = (() => {
  float[0] = 1;
  return words[1] === 0 ? 0 : 1;
})();

/**
 * A histogram of durations in ms whose buckets are the leading bits of the number itself: recording takes no logarithm, and memory is
 * constant (9.5 KB).
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact, unlike the percentiles. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  record(ms: number): void {
    float[0] = ms;
    const bucket = Math.min(Math.max(((words[HIGH] ?? 0) >>> SHIFT) - FIRST, 0), BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** The duration below which `share` (0 to 1) of the recorded ones lie; undefined before the first. */
  percentile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let below = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const here = this.#counts[bucket] ?? 0;
      if (below + here >= rank) {
        // Within a bucket values are taken as evenly spread.
        const low = lowerBound(bucket);
        const high = lowerBound(bucket + 1);
        return Math.min(low + ((high - low) * (rank - below - 0.5)) / here, this.#max);
      }
      below += here;
    }
    return this.#max;
  }
}

function lowerBound(bucket: number): number {
  words[1 - HIGH] = 0;
  words[HIGH] = (bucket + FIRST) << SHIFT;
  return float[0] ?? 0;
}
