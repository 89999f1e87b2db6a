export type { CliErrorCode } from './errors.ts';
export { CliError, ConfigError } from './errors.ts';
export {
  defineConfig,
  type FileStoreConfig,
  type HttpStoreConfig,
  type PerennialConfig,
  type RedisQueueConfig,
  type RedisStoreConfig,
  type StoreConfig,
} from './config/config.ts';
export { EXIT, type ExitCode } from './exit-codes.ts';
