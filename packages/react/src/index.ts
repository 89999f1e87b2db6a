export type {
  HookOptions,
  StreamSourceInput,
  UseStreamItemsOptions,
  UseStreamReduceOptions,
  UseStreamResult,
} from './options.ts';
export { type StreamKeyOptions, streamQueryKey } from './registry.ts';
export { useStream } from './use-stream.ts';
