import type { Operation, OperationContext } from '../builder/operation.ts';
import type { PipelineClock } from '../clock/clock.ts';
import { PipelineError } from '../errors/streaming-error.ts';
import { type CheckpointOptions, DEFAULT_CHECKPOINT_LIMIT } from './checkpoint-options.ts';
import { CursorKeeper, type SavedCursor } from './cursor-keeper.ts';
import { type FencedLog, openFencedLog } from './fenced-log.ts';
import type { SavedItem } from './log-pull.ts';
import { Restored, type SegmentStates } from './restored.ts';

/** The durable checkpoints of a run, opened. */
export interface OpenedCheckpoints {
  readonly restored: Restored;
  /** Values that earlier runs handed out. */
  readonly resumedAt: number;
  /** An earlier run completed: there is nothing to do. */
  readonly done: boolean;
  readonly keeper: CursorKeeper;
  itemsOf(operation: Operation): OperationContext['items'];
}

/** Options of {@link openCheckpoints}. */
export interface OpenOptions {
  readonly operations: readonly Operation[];
  readonly runId: string;
  readonly clock: PipelineClock;
  /** Makes durable what the run's consumer was given; absent where that is the consumer's business. */
  readonly flushSink?: (() => Promise<void>) | undefined;
}

type Items = NonNullable<OperationContext['items']>;
type Durable = CheckpointOptions & { readonly store: NonNullable<CheckpointOptions['store']> };

/** True when the pipeline has a checkpoint with a store. */
export function isDurable(operations: readonly Operation[]): boolean {
  return operations.some((operation) => operation.checkpoint?.store);
}

/**
 * Opens the logs of all durable checkpoints, fences off earlier runs of the same id, and reads where they stopped.
 *
 * @throws What a store fails with, and `CHECKPOINT_MISMATCH` where other stages wrote the logs.
 */
export async function openCheckpoints({
  operations,
  runId,
  clock,
  flushSink,
}: OpenOptions): Promise<OpenedCheckpoints> {
  const durable = operations.filter((operation) => operation.checkpoint?.store);
  const last = durable.at(-1);
  if (!last) throw new PipelineError('NOT_RESUMABLE', 'The pipeline has no checkpoint with a `store`.');
  // The cursor first: whoever holds it may write the others.
  const cursors = await openLog<SavedCursor>(last, runId, { suffix: '', shape: operations.map(nameOf) });
  const cursor = await cursors.last();
  const items = new Map<Operation, Items>();
  const segments: (SegmentStates | null)[] = [];
  for (const operation of cursors.ended ? [] : durable.filter(keepsItems)) {
    const shape = operations.slice(0, operations.indexOf(operation) + 1).map(nameOf);
    const log = await openLog<SavedItem>(operation, runId, { suffix: '/items', shape });
    const saved = await readItems(operation, log);
    segments.push(saved.states);
    items.set(operation, { log, saved: saved.values });
  }
  segments.push(cursor?.s ?? null);
  const flush = async (): Promise<void> => {
    await flushSink?.();
    for (const { log } of items.values()) if (!log.ended) await log.flush();
  };
  const { intervalMs = DEFAULT_INTERVAL_MS } = optionsOf(last);
  const resumedAt = cursor?.n ?? 0;
  return {
    restored: new Restored(segments),
    resumedAt,
    done: cursors.ended,
    keeper: new CursorKeeper({ log: cursors, clock, intervalMs, flush }, resumedAt),
    itemsOf: (operation) => items.get(operation) ?? null,
  };
}

const DEFAULT_INTERVAL_MS = 200;

function openLog<T>(
  operation: Operation,
  runId: string,
  { suffix, shape }: { readonly suffix: string; readonly shape: readonly string[] },
): Promise<FencedLog<T>> {
  const { store, streamId, ttlMs } = optionsOf(operation);
  const id = streamId ?? `pipelines/${encodeURIComponent(runId)}/${encodeURIComponent(operation.step.key)}`;
  return openFencedLog<T>({ store, streamId: `${id}${suffix}`, shape, ttlMs });
}

async function readItems(
  operation: Operation,
  log: FencedLog<SavedItem>,
): Promise<{ readonly values: unknown[]; readonly states: SegmentStates | null }> {
  const { limit = DEFAULT_CHECKPOINT_LIMIT } = optionsOf(operation);
  const values: unknown[] = [];
  let states: SegmentStates | null = null;
  for await (const item of log.readAll()) {
    // More than the limit was kept under a higher one; the recording will say so.
    if (values.length > limit) break;
    values.push(item.v);
    states = item.s;
  }
  return { values, states };
}

function optionsOf({ checkpoint }: Operation): Durable {
  return checkpoint as Durable;
}

function keepsItems({ checkpoint }: Operation): boolean {
  return checkpoint?.mode !== 'pass';
}

function nameOf({ kind, step }: Operation): string {
  return `${kind}:${step.key}`;
}
