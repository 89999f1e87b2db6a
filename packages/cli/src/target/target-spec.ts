import { dirname, resolve } from 'node:path';

import type { StreamStore } from '@perennial/core';

import type { StoreConfig } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import type { TargetFlags } from './target-flags.ts';

/** Where the streams are, before anything is opened. */
export type TargetSpec =
  | { readonly kind: 'http'; readonly url: string; readonly token: string | undefined }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string | undefined }
  | {
      readonly kind: 'file';
      readonly directory: string;
      readonly durability: 'disk' | 'os' | undefined;
      /** Where the process that writes the folder can be reached; undefined: looked up in the folder. */
      readonly ownerUrl: string | undefined;
      readonly token: string | undefined;
    }
  | { readonly kind: 'made'; readonly file: string; readonly make: () => StreamStore | Promise<StreamStore> };

const HINT = `Say where the streams are, in one of these ways:
  --url http://127.0.0.1:4437    a server, such as perennial serve   (PERENNIAL_URL)
  --redis redis://127.0.0.1      Redis or Valkey                     (PERENNIAL_REDIS)
  --dir .streams                 a folder of the file store          (PERENNIAL_DIR)
  store in perennial.config.ts`;

interface Choice {
  readonly url: string | undefined;
  readonly redis: string | undefined;
  readonly dir: string | undefined;
}

/**
 * Decides where the streams are: by a flag, by `--config`, by an environment variable, by the `perennial.config.ts` found, in this order.
 *
 * @throws {@link CliError} `NO_TARGET` when nothing says it, `USAGE` when two flags or two variables contradict each other.
 */
export async function resolveTarget(flags: TargetFlags, { env, cwd }: Io): Promise<TargetSpec> {
  const token = flags.token ?? (env['PERENNIAL_TOKEN'] || undefined);
  const prefix = flags.prefix ?? (env['PERENNIAL_PREFIX'] || undefined);
  const fromFlags = chosen(flags as Choice, {
    token,
    prefix,
    cwd,
    names: { url: '--url', redis: '--redis', dir: '--dir' },
  });
  if (fromFlags) return fromFlags;
  if (flags.config === undefined) {
    const choice = {
      url: env['PERENNIAL_URL'] || undefined,
      redis: env['PERENNIAL_REDIS'] || undefined,
      dir: env['PERENNIAL_DIR'] || undefined,
    };
    const names = { url: 'PERENNIAL_URL', redis: 'PERENNIAL_REDIS', dir: 'PERENNIAL_DIR' };
    const fromEnv = chosen(choice, { token, prefix, cwd, names });
    if (fromEnv) return fromEnv;
  }
  const loaded = await loadConfig({ cwd, file: flags.config ?? (env['PERENNIAL_CONFIG'] || undefined) });
  if (!loaded?.config.store) {
    const where = loaded ? `${loaded.file} has no \`store\`` : 'there is no perennial.config.ts';
    throw new CliError('NO_TARGET', `Where are the streams? No option says it, and ${where}.`, { hint: HINT });
  }
  return fromConfig(loaded.config.store, { file: loaded.file, token, prefix });
}

interface ChoiceContext {
  readonly token: string | undefined;
  readonly prefix: string | undefined;
  readonly cwd: string;
  readonly names: Readonly<Record<keyof Choice, string>>;
}

function chosen({ url, redis, dir }: Choice, { token, prefix, cwd, names }: ChoiceContext): TargetSpec | null {
  const given = Object.entries({ url, redis, dir }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const list = given.map(([name]) => names[name as keyof Choice]).join(' and ');
    throw new CliError('USAGE', `${list} exclude each other: streams are in one place.`);
  }
  if (url !== undefined) return { kind: 'http', url: assertUrl(names.url, url, /^https?:$/), token };
  if (redis !== undefined) return { kind: 'redis', url: assertUrl(names.redis, redis, /^rediss?:$/), prefix };
  if (dir === undefined) return null;
  if (dir === '' || dir.includes('\0')) throw new CliError('USAGE', `${names.dir} must be the path of a folder.`);
  return { kind: 'file', directory: resolve(cwd, dir), durability: undefined, ownerUrl: undefined, token };
}

interface ConfigContext {
  readonly file: string;
  readonly token: string | undefined;
  readonly prefix: string | undefined;
}

function fromConfig(store: StoreConfig, { file, token, prefix }: ConfigContext): TargetSpec {
  if (typeof store === 'function') return { kind: 'made', file, make: store };
  if ('directory' in store) {
    const { directory, url, durability } = store;
    return {
      kind: 'file',
      directory: resolve(dirname(file), directory),
      durability,
      ownerUrl: url,
      token: token ?? store.token,
    };
  }
  if ('redis' in store) return { kind: 'redis', url: store.redis, prefix: prefix ?? store.prefix };
  return { kind: 'http', url: store.url, token: token ?? store.token };
}

function assertUrl(name: string, text: string, protocol: RegExp): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && protocol.test(url.protocol)) return text;
  const example = protocol.test('http:') ? 'http://127.0.0.1:4437' : 'redis://127.0.0.1:6379';
  throw new CliError('USAGE', `${name} must be a URL such as ${example}; got ${JSON.stringify(text)}.`);
}
