import { basename, resolve } from 'node:path';

import type { DocumentRoots } from './corpus/find-files.ts';

/** What the environment decides. */
export interface DemoConfig {
  /** Folder of the streams, unless there is a `redisUrl`. */
  readonly dataFolder: string;
  /** Server that keeps the streams, for any number of processes; null: the folder. */
  readonly redisUrl: string | null;
  readonly documents: DocumentRoots;
  /** What readers see as the documents' place; never a whole path. */
  readonly documentsLabel: string;
  /** Folder below which the page may import folders by path; null: none. */
  readonly importRoot: string | null;
  /** Words per second of offline answers; 0 = no pause. */
  readonly wordsPerSecond: number;
  /** Files that imports take in per second; 0 = as many as can be. */
  readonly filesPerSecond: number;
  /** How soon a lost server shows in its answers. */
  readonly leaseMs: number;
  /** Null: answers are offline extracts. */
  readonly model: ModelConfig | null;
}

/** Where a model is, and what it can do. */
export interface ModelConfig {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  /** True: it goes on with an answer that it is given the beginning of. */
  readonly prefill: boolean;
}

const DEFAULT_WORDS_PER_SECOND = 45;
const DEFAULT_LEASE_MS = 5_000;
const DEFAULT_BASE_URL = 'https://api.openai.com/v1';
const DEFAULT_MODEL = 'gpt-4.1-mini';

/**
 * Reads the configuration. Paths that are not given lie in the repository, two folders above the app.
 *
 * @throws An error that names the variable and its value when it is not usable.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, appFolder: string): DemoConfig {
  const repository = resolve(/* turbopackIgnore: true */ appFolder, '../..');
  const docs = env['PERENNIAL_DOCS'] ? resolve(/* turbopackIgnore: true */ appFolder, env['PERENNIAL_DOCS']) : null;
  return {
    dataFolder: resolve(/* turbopackIgnore: true */ appFolder, env['PERENNIAL_DATA'] || `${repository}/.perennial`),
    redisUrl: readRedisUrl(env),
    documents: docs ? { base: docs, paths: [''] } : { base: repository, paths: ['README.md', 'docs', 'PROTOCOL.md'] },
    documentsLabel: docs ? basename(docs) : 'docs',
    importRoot: env['PERENNIAL_IMPORT_ROOT']
      ? resolve(/* turbopackIgnore: true */ appFolder, env['PERENNIAL_IMPORT_ROOT'])
      : null,
    wordsPerSecond: readNumber(env, 'PERENNIAL_DEMO_PACE', { min: 0, fallback: DEFAULT_WORDS_PER_SECOND }),
    filesPerSecond: readNumber(env, 'PERENNIAL_DEMO_IMPORT_PACE', { min: 0, fallback: 0 }),
    leaseMs: readNumber(env, 'PERENNIAL_DEMO_LEASE_MS', { min: 100, fallback: DEFAULT_LEASE_MS }),
    model: readModel(env),
  };
}

function readModel(env: Readonly<Record<string, string | undefined>>): DemoConfig['model'] {
  const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model, OPENAI_PREFILL: prefill } = env;
  if (!baseUrl && !apiKey) return null;
  if (baseUrl && !(URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol))) {
    throw new Error(
      `OPENAI_BASE_URL must be an http(s) URL such as http://localhost:11434/v1; got ${JSON.stringify(baseUrl)}.`,
    );
  }
  if (prefill && !/^[01]$/.test(prefill))
    throw new Error(`OPENAI_PREFILL must be 0 or 1; got ${JSON.stringify(prefill)}.`);
  return {
    baseUrl: baseUrl || DEFAULT_BASE_URL,
    // Local servers want no key, but the SDK does not start without one.
    apiKey: apiKey || 'none',
    model: model || DEFAULT_MODEL,
    prefill: prefill === '1',
  };
}

function readRedisUrl({ PERENNIAL_REDIS_URL: url }: Readonly<Record<string, string | undefined>>): string | null {
  if (!url) return null;
  // The value may hold a password: it is not repeated.
  if (!/^rediss?:\/\/[^/]/.test(url))
    throw new Error('PERENNIAL_REDIS_URL must look like redis://localhost:6379 or, with TLS, rediss://localhost:6379.');
  return url;
}

function readNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  { min, fallback }: { readonly min: number; readonly fallback: number },
): number {
  const text = env[name];
  if (text === undefined || text.trim() === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < min)
    throw new Error(`${name} must be a number of at least ${min}; got ${JSON.stringify(text)}.`);
  return value;
}
