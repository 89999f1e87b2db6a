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
