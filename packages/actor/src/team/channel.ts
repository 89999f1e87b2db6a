/** What {@link Channel.take} answers when nothing will come any more. */
export const CLOSED: unique symbol = Symbol('closed');

/** A bounded queue between several producers and one consumer. */
export class Channel<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  readonly #waiting: (() => void)[] = [];
  #taker: { readonly resolve: (item: T | typeof CLOSED) => void; readonly reject: (error: unknown) => void } | null =
    null;
  #closed = false;
  #error: { readonly error: unknown } | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves once there is room behind the item; at once when the consumer has left. */
  async push(item: T): Promise<void> {
    if (this.#closed) return;
    if (this.#taker) {
      this.#taker.resolve(item);
      this.#taker = null;
      return;
    }
    this.#items.push(item);
    if (this.#items.length >= this.#limit) await new Promise<void>((resume) => this.#waiting.push(resume));
  }

  /** The next item. Items pushed before a `fail` come before its error. */
  take(): Promise<T | typeof CLOSED> {
    const item = this.#items.shift();
    if (item !== undefined) {
      if (this.#items.length < this.#limit) this.#waiting.shift()?.();
      return Promise.resolve(item);
    }
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- passes on what a producer threw
    if (this.#error) return Promise.reject(this.#error.error);
    if (this.#closed) return Promise.resolve(CLOSED);
    return new Promise((resolve, reject) => (this.#taker = { resolve, reject }));
  }

  /** Nothing more will come; producers that wait go on. */
  close(): void {
    this.#closed = true;
    this.#taker?.resolve(CLOSED);
    this.#taker = null;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Closes with an error. */
  fail(error: unknown): void {
    this.#error ??= { error };
    this.#taker?.reject(error);
    this.#taker = null;
    this.close();
  }
}
