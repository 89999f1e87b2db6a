import type { ActorCallContext, ActorContext } from '../actor/context.ts';
import { manageItems } from '../actor/managed-stream.ts';
import { assertName, assertWhole, invalid, quote } from '../errors.ts';

/** What an activity works on. An async iterable is read as the work goes on, never as a whole. */
export type Dataset<Item> = Iterable<Item> | AsyncIterable<Item>;

/** Options of {@link defineActivity}. */
export interface ActivityOptions<Item, Result> {
  readonly name: string;
  /** Items handed to `process` at once; the last batch may be smaller. @default 100 */
  readonly batchSize?: number;
  /** Works on one batch. Batches are processed one after the other. */
  readonly process: (batch: readonly Item[], context: ActorContext) => Result | Promise<Result>;
}

/** A batch that was processed. */
export interface ActivityBatch<Result> {
  /** Zero-based index of the batch. */
  readonly index: number;
  /** Items in this batch. */
  readonly count: number;
  /** Items processed so far, this batch included. */
  readonly processed: number;
  readonly result: Result;
}

/** Work on a large dataset, in batches. */
export interface Activity<Item = unknown, Result = unknown> {
  readonly name: string;
  /** Processes a batch whenever the consumer asks for one: memory holds one batch, and leaving the loop stops the work. */
  stream(dataset: Dataset<Item>, context?: ActorCallContext): AsyncGenerator<ActivityBatch<Result>, void, unknown>;
  /** Processes everything; what `process` returned, batch by batch. */
  execute(dataset: Dataset<Item>, context?: ActorCallContext): Promise<Result[]>;
}

const DEFAULT_BATCH_SIZE = 100;

/**
 * Declares an activity.
 *
 * @example
 * const importer = defineActivity({ name: 'import', process: (rows: readonly Row[]) => database.insert(rows) });
 * for await (const batch of importer.stream(largeDataset)) console.log(`Processed batch: ${batch.count} items`);
 */
export function defineActivity<Item, Result>(options: ActivityOptions<Item, Result>): Activity<Item, Result> {
  const { name, batchSize = DEFAULT_BATCH_SIZE, process } = options;
  assertName('name', name);
  assertWhole('batchSize', batchSize);
  if (typeof process !== 'function') throw invalid(`\`process\` must be a function; got ${quote(process)}.`);
  const stream = (
    dataset: Dataset<Item>,
    context?: ActorCallContext,
  ): AsyncGenerator<ActivityBatch<Result>, void, unknown> => {
    if (!isDataset(dataset))
      throw invalid(`The activity ${quote(name)} needs something to iterate over; got ${quote(dataset)}.`);
    return manageItems((whole) => processed({ dataset, batchSize, process }, whole), context);
  };
  return {
    name,
    stream,
    async execute(dataset, context) {
      const results: Result[] = [];
      for await (const { result } of stream(dataset, context)) results.push(result);
      return results;
    },
  };
}

interface Work<Item, Result> {
  readonly dataset: Dataset<Item>;
  readonly batchSize: number;
  readonly process: ActivityOptions<Item, Result>['process'];
}

async function* processed<Item, Result>(
  { dataset, batchSize, process }: Work<Item, Result>,
  context: ActorContext,
): AsyncGenerator<ActivityBatch<Result>, void, unknown> {
  let processed = 0;
  let index = 0;
  for await (const batch of batches(dataset, batchSize)) {
    const result = await process(batch, context);
    processed += batch.length;
    yield { index: index++, count: batch.length, processed, result };
  }
}

async function* batches<Item>(dataset: Dataset<Item>, size: number): AsyncGenerator<Item[], void, unknown> {
  let batch: Item[] = [];
  for await (const item of dataset) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** True for what an activity can work on. */
function isDataset(value: unknown): value is Dataset<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
