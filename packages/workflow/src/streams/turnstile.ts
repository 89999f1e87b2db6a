/**
 * Lets calls through one after the other, in the order in which they came. All writes to a stream pass one, whoever makes them: otherwise
 * a write of the body that still waits would be overtaken by the steps that were called after it.
 */
export class Turnstile {
  /** Set while somebody is inside. */
  #last: Promise<unknown> | null = null;

  /**
   * Resolves with what `enter` does once everybody before is through. Whoever comes to an empty turnstile enters at once.
   *
   * @param isThrough Recognises a result at which nobody need wait.
   */
  pass<T>(enter: () => Promise<T>, isThrough: (entered: Promise<T>) => boolean = () => false): Promise<T> {
    if (this.#last) return this.#wait(this.#last.then(enter, enter));
    const entered = enter();
    return isThrough(entered) ? entered : this.#wait(entered);
  }

  /** Resolves once everybody who is here now is through. */
  async cleared(): Promise<void> {
    await this.#last?.catch(() => undefined);
  }

  #wait<T>(entered: Promise<T>): Promise<T> {
    this.#last = entered;
    const leave = (): void => {
      if (this.#last === entered) this.#last = null;
    };
    void entered.then(leave, leave);
    return entered;
  }
}
