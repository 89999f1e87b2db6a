/** Lets so many chunks go out beyond the last one that the client acknowledged. */
export class Window {
  readonly #size: number;
  /** Cursors of chunks that are out, oldest first; empty without a bound. */
  #out: string[] = [];
  #resume: (() => void) | null = null;
  #opened = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves once the chunk may go out. */
  async take(cursor: string): Promise<void> {
    if (this.#size === Infinity) return;
    while (this.#out.length >= this.#size && !this.#opened)
      await new Promise<void>((resolve) => (this.#resume = resolve));
    this.#out.push(cursor);
  }

  /** The chunk with this cursor arrived, and all before it. One that is not out changes nothing. */
  acknowledge(cursor: string): void {
    const index = this.#out.lastIndexOf(cursor);
    if (index < 0) return;
    this.#out = this.#out.slice(index + 1);
    this.#wake();
  }

  /** Nobody will acknowledge any more. */
  open(): void {
    this.#opened = true;
    this.#wake();
  }

  #wake(): void {
    this.#resume?.();
    this.#resume = null;
  }
}
