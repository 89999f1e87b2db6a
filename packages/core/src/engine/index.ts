/**
 * The pull engine under the transformers, for packages that build sources, stages and sinks of their own on it. Application code wants
 * `map`, `filter` and `collect` from the main entry point instead.
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
