import { ConfigError } from '../errors.ts';
import type { PerennialConfig, RedisQueueConfig, StoreConfig } from './config.ts';

type Fields = Readonly<Record<string, unknown>>;

const TOP = ['store', 'actors', 'ai', 'queue', 'address'];
const STORES: Readonly<Record<string, readonly string[]>> = {
  directory: ['directory', 'url', 'token', 'durability'],
  redis: ['redis', 'prefix'],
  url: ['url', 'token'],
};

/** @throws {@link ConfigError} naming the first field that cannot be meant. */
export function checkConfig(value: unknown, file: string): PerennialConfig {
  const check = new Checker(file);
  if (!isFields(value)) throw new ConfigError(file, null, `its default export must be an object; got ${show(value)}.`);
  check.known(value, TOP, '');
  const { store, queue, ...rest } = value;
  return {
    // What belongs to actors is checked by them, once a command needs it.
    ...(rest as Omit<PerennialConfig, 'store' | 'queue'>),
    ...(store !== undefined && { store: check.store(store) }),
    ...(queue !== undefined && { queue: check.queue(queue) }),
  };
}

class Checker {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  known(value: Fields, names: readonly string[], path: string): void {
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown === undefined) return;
    throw this.error(`${path}${unknown}`, `is not an option. There are: ${names.join(', ')}.`);
  }

  store(value: unknown): StoreConfig {
    // A function that makes a store cannot be checked before it is called.
    if (typeof value === 'function') return value as Extract<StoreConfig, (...args: never) => unknown>;
    if (!isFields(value)) throw this.error('store', `must be an object or a function; got ${show(value)}.`);
    const kind = Object.keys(STORES).find((name) => name in value);
    if (kind === undefined)
      throw this.error(
        'store',
        'must have one of `directory`, `redis` and `url`, or be a function that makes a store.',
      );
    this.known(value, STORES[kind] ?? [], 'store.');
    this.#texts(value, 'store');
    // Each field of the kind is checked.
    return value as unknown as StoreConfig;
  }

  queue(value: unknown): NonNullable<PerennialConfig['queue']> {
    // As with stores.
    if (typeof value === 'function') return value as Extract<PerennialConfig['queue'], (...args: never) => unknown>;
    if (!isFields(value)) throw this.error('queue', `must be an object or a function; got ${show(value)}.`);
    this.known(value, ['redis', 'prefix'], 'queue.');
    if (value['redis'] === undefined) throw this.error('queue.redis', 'is missing.');
    this.#texts(value, 'queue');
    return value as unknown as RedisQueueConfig;
  }

  #texts(value: Fields, path: string): void {
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) continue;
      if (typeof field !== 'string' || field === '')
        throw this.error(`${path}.${name}`, `must be a non-empty string; got ${show(field)}.`);
      if (name === 'url' && !isUrl(field, /^https?:$/))
        throw this.error(`${path}.url`, `must be an absolute http(s) URL; got ${show(field)}.`);
      if (name === 'redis' && !isUrl(field, /^rediss?:$/))
        throw this.error(`${path}.redis`, `must be a redis:// or rediss:// URL; got ${show(field)}.`);
      if (name === 'durability' && field !== 'disk' && field !== 'os')
        throw this.error(`${path}.durability`, `is 'disk' or 'os'; got ${show(field)}.`);
    }
  }

  error(field: string, problem: string): ConfigError {
    return new ConfigError(this.#file, field, problem);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isUrl(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol);
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return JSON.stringify(value) ?? String(value);
}
