/**
 * What lies under readers, writers and transformers, for packages that build sources, stages, sinks and runtimes of their own on it.
 * Application code wants `getStreamReader`, `getStreamWriter`, `map` and `collect` from the main entry point instead.
 *
 * @packageDocumentation
 */
export { createFusedPull, SKIP, type Stage, type StageFactory } from '../transform/fused.ts';
export { createPullIterator } from '../transform/pull-iterator.ts';
export {
  answer,
  END,
  PULL,
  type Pull,
  type Pullable,
  type Receiver,
  WAIT,
  YIELD_EVERY,
  yieldMacrotask,
} from '../transform/pull.ts';
export { isThenable, type ResultReader, type Source, toPull } from '../transform/source.ts';
export { createRecordReader } from '../reader/record-reader.ts';
export type { RecordSource, SourcePage, SourceRecord } from '../reader/record-source.ts';
export { createStoreSource, type StoreSourceOptions } from '../reader/store-source.ts';
