import { InvalidArgumentError, quote } from '@perennial/core';

import { callContext } from '../body/call-context.ts';
import { parsePartKey, partKey } from '../journal/part-key.ts';
import type { RunExecution } from '../runs/run-execution.ts';
import type { Attempt } from './attempt.ts';
import type { ReplayableItems } from './replayable-items.ts';
import { unwrapResult } from './result-value.ts';
import type { StepRetry } from './retry.ts';
import { supersedeEarlier } from './supersede.ts';

/** Options of `step.streamForEach`. */
export interface ForEachOptions {
  /** Names the step, and is its key. */
  readonly name: string;
  /** Items processed at the same time. @default 1 */
  readonly concurrency?: number;
  /** Items between two checkpoints: a re-run repeats at most so many, and `concurrency` more. @default 100 */
  readonly checkpointInterval?: number;
  /** Repeats after a failure, going on at the last checkpoint. @default none */
  readonly retry?: StepRetry;
  /** Longest time of one attempt, in ms. @default none */
  readonly timeout?: number;
}

/** What `step.streamForEach` did. */
export interface ForEachResult {
  /** Items processed, those before a crash or retry included. */
  readonly processedCount: number;
}

/** What the function of `step.streamForEach` is told beside its item. */
export interface ItemContext {
  /** Zero-based index of the item in the source. */
  readonly index: number;
  readonly signal: AbortSignal;
}

/** Options that must make sense before a step starts. */
export function assertForEach({ name, concurrency = 1, checkpointInterval = 1 }: ForEachOptions): void {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('name', `\`name\` must be a non-empty string; got ${quote(name)}.`);
  for (const [option, value] of Object.entries({ concurrency, checkpointInterval }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new InvalidArgumentError(option, `\`${option}\` must be a whole number above 0; got ${quote(value)}.`);
}

/** What makes a {@link ForEach}. */
export interface ForEachWork<T> {
  readonly run: RunExecution;
  readonly items: ReplayableItems<T>;
  readonly fn: (item: T, context: ItemContext) => unknown;
  readonly options: ForEachOptions;
}

interface Part {
  readonly attempt: Attempt;
  /** Index after the last item that may belong to it. */
  readonly to: number;
  /** Items begun and not done. */
  open: number;
  /** No more items of the part will come. */
  isComplete: boolean;
  /** Position of the source behind the part, where it has one. */
  at?: number | undefined;
}

/**
 * Processes the items of a source from the last checkpoint on. The items between two checkpoints are a *part*, which writes to streams
 * under a key of its own: once it is done, its writes stand, and only those of parts that were under way are taken back by a re-run.
 */
export async function forEachItem<T>(work: ForEachWork<T>, outer: Attempt): Promise<ForEachResult> {
  const start = work.run.state.progress.get(work.options.name);
  const begun = await retractUnfinished(work.run, outer, start?.items ?? 0);
  return new ForEach(work, outer, begun).process(start);
}

class ForEach<T> {
  readonly #work: ForEachWork<T>;
  readonly #outer: Attempt;
  /** Attempts of parts that an earlier attempt of the step began. */
  readonly #begun: ReadonlyMap<string, Attempt>;
  readonly #parts: Part[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;
  #start = 0;
  #index = 0;
  #done = 0;
  #checkpoint: Promise<void> = Promise.resolve();

  constructor(work: ForEachWork<T>, outer: Attempt, begun: ReadonlyMap<string, Attempt>) {
    this.#work = work;
    this.#outer = outer;
    this.#begun = begun;
  }

  async process(start: { readonly items: number; readonly at?: number } | undefined): Promise<ForEachResult> {
    const { items, options } = this.#work;
    const { concurrency = 1 } = options;
    const { signal } = this.#outer;
    this.#start = this.#index = this.#done = start?.items ?? 0;
    for await (const item of items.after(start)) {
      if (this.#failure || signal.aborted) break;
      this.#begin(item);
      while (this.#running.size >= concurrency && !this.#failure) await Promise.race(this.#running);
    }
    await Promise.all(this.#running);
    const last = this.#parts.at(-1);
    if (last) last.isComplete = true;
    this.#scheduleCheckpoint();
    await this.#checkpoint;
    if (this.#failure) throw this.#failure.error;
    signal.throwIfAborted();
    return { processedCount: this.#done };
  }

  #begin(item: T): void {
    const index = this.#index++;
    const part = this.#partOf(index);
    part.open++;
    part.at = this.#work.items.position;
    if (index === part.to - 1) part.isComplete = true;
    const task = this.#perform(item, index, part).then(() => {
      this.#running.delete(task);
      part.open--;
      this.#scheduleCheckpoint();
    });
    this.#running.add(task);
  }

  async #perform(item: T, index: number, { attempt }: Part): Promise<void> {
    const { run, fn } = this.#work;
    const { signal } = this.#outer;
    try {
      const result = unwrapResult(await callContext.run({ run, attempt }, async () => fn(item, { index, signal })));
      if (!result.ok) this.#failure ??= { error: result.error };
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #partOf(index: number): Part {
    const last = this.#parts.at(-1);
    if (last && index < last.to) return last;
    const { name, checkpointInterval = 100 } = this.#work.options;
    const from = index - (index % checkpointInterval);
    const to = from + checkpointInterval;
    const key = partKey(name, Math.max(from, this.#start), to);
    const part: Part = { attempt: this.#begun.get(key) ?? this.#outer.part(key, 1), to, open: 0, isComplete: false };
    this.#parts.push(part);
    return part;
  }

  #scheduleCheckpoint(): void {
    this.#checkpoint = this.#checkpoint
      .then(() => this.#settleParts())
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
  }

  /** Parts that are done, from the first on, are flushed and noted: a re-run begins behind them. */
  async #settleParts(): Promise<void> {
    const { run, options } = this.#work;
    for (let part = this.#parts[0]; part?.isComplete && part.open === 0 && !this.#failure; part = this.#parts[0]) {
      part.attempt.seal();
      const refused = await part.attempt.flush();
      if (refused) throw refused;
      const items = Math.min(part.to, this.#index);
      await run.journal.note({
        t: 'progress',
        key: options.name,
        items,
        ...(part.at !== undefined && { at: part.at }),
      });
      this.#parts.shift();
      this.#done = items;
    }
  }
}

/** Takes back what parts wrote that were under way when an earlier attempt stopped, and prepares their next attempts. */
async function retractUnfinished(run: RunExecution, outer: Attempt, done: number): Promise<Map<string, Attempt>> {
  const begun = new Map<string, Attempt>();
  for (const [key, n] of run.state.attempts) {
    const part = parsePartKey(key);
    if (part?.step !== outer.step || part.from < done) continue;
    outer.signal.throwIfAborted();
    const attempt = outer.part(key, n + 1);
    begun.set(key, attempt);
    await attempt.note();
    await supersedeEarlier(run, attempt);
  }
  return begun;
}
