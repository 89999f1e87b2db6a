import type { PipelineClock } from '@perennial/pipeline';

interface Sleeper {
  readonly at: number;
  readonly resolve: () => void;
}

/** A clock that stands still until the test moves it. `waits` lists every sleep that was asked for. */
export class TestClock implements PipelineClock {
  readonly waits: number[] = [];
  #now = 1_000;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.waits.push(ms);
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = { at: this.#now + ms, resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  /** Sleepers that have not woken. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { resolve } of due) resolve();
  }
}

/** A clock on which every sleep is over at once. */
export class HastyClock implements PipelineClock {
  readonly waits: number[] = [];
  #now = 1_000;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    this.waits.push(ms);
    this.#now += ms;
  }
}
