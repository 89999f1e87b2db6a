export { streamQueryKey, type StreamQueryKeyOptions } from './stream-query-key.ts';
export { useStream } from './use-stream.ts';
export type {
  UseStreamItemsOptions,
  UseStreamOptions,
  UseStreamReduceOptions,
  UseStreamResult,
} from './use-stream-options.ts';
