/** Serialised form of a {@link PositionIndex}. */
export interface PositionIndexData {
  readonly stride: number;
  /** Position and offset of each entry, alternating. */
  readonly entries: readonly number[];
}

/** Entries an index holds at most: with 16 bytes each, 64 KiB per loaded stream. */
const MAX_ENTRIES = 4_096;
/** Bytes of log between two entries at first. Also the most a read has to skip. */
const MIN_STRIDE = 65_536;

/**
 * Finds the frame of a position: a sparse list of frames, one per stride of log. When it is full, every other entry goes and the stride
 * doubles, so its size is bounded and a lookup is as exact as that allows (a log of 1 GiB is skipped over in steps of 256 KiB).
 */
export class PositionIndex {
  readonly #positions: number[] = [];
  readonly #offsets: number[] = [];
  #stride = MIN_STRIDE;

  /** Restores an index. */
  static from({ stride, entries }: PositionIndexData): PositionIndex {
    const index = new PositionIndex();
    index.#stride = stride;
    for (let i = 0; i + 1 < entries.length; i += 2) {
      index.#positions.push(entries[i] ?? 0);
      index.#offsets.push(entries[i + 1] ?? 0);
    }
    return index;
  }

  /** Takes note of a frame; frames come in the order of the log. */
  add(position: number, offset: number): void {
    const last = this.#offsets.at(-1) ?? 0;
    if (offset - last < this.#stride) return;
    this.#positions.push(position);
    this.#offsets.push(offset);
    if (this.#offsets.length > MAX_ENTRIES) this.#thin();
  }

  /** The last known frame at or before a position; the log's first frame when none is known. */
  locate(position: number, origin: number): { readonly position: number; readonly offset: number } {
    const known = this.#countBefore(position + 1);
    return { position: this.#positions[known - 1] ?? 0, offset: this.#offsets[known - 1] ?? origin };
  }

  /** Offset of the first known frame that holds nothing before a position; `end` when none is known. */
  offsetAfter(position: number, end: number): number {
    return this.#offsets[this.#countBefore(position)] ?? end;
  }

  toData(): PositionIndexData {
    return {
      stride: this.#stride,
      entries: this.#positions.flatMap((position, i) => [position, this.#offsets[i] ?? 0]),
    };
  }

  /** Number of entries before a position. */
  #countBefore(position: number): number {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#positions[middle] ?? Infinity) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #thin(): void {
    this.#stride *= 2;
    let kept = 0;
    for (let i = 1; i < this.#offsets.length; i += 2) {
      this.#positions[kept] = this.#positions[i] ?? 0;
      this.#offsets[kept++] = this.#offsets[i] ?? 0;
    }
    this.#positions.length = kept;
    this.#offsets.length = kept;
  }
}
