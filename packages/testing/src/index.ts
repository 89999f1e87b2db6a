export * from './clock/manual-clock.ts';
export {
  type ConformanceCase,
  describeStore,
  storeConformance,
  type TestRunner,
} from './conformance/store-conformance.ts';
export {
  type OpenContext,
  type OpenedStore,
  STORE_FEATURES,
  type StoreConformanceTarget,
  type StoreFeature,
} from './conformance/store-target.ts';
export { type Fault, type PlannedFault, type RandomFaults, STORE_VERBS, type StoreVerb } from './faults/fault.ts';
export * from './faults/faulty-store.ts';
export {
  describeHostileInput,
  hostileInput,
  type HostileInputTarget,
  type HostileTestRunner,
  type ServedStreams,
} from './hostile/describe-hostile-input.ts';
export { HOSTILE_LIMITS } from './hostile/limits.ts';
export { type ServedHandler, serveHandler } from './hostile/serve-handler.ts';
