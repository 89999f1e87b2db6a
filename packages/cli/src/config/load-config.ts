import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ConfigError } from '../errors.ts';
import { checkConfig } from './check-config.ts';
import type { PerennialConfig } from './config.ts';

/** A configuration and where it came from. */
export interface LoadedConfig {
  readonly file: string;
  readonly config: PerennialConfig;
}

/** Names of configuration files, the first one found counts. */
const NAMES = ['perennial.config.ts', 'perennial.config.mts', 'perennial.config.js', 'perennial.config.mjs'];

/** Options of {@link loadConfig}. */
export interface LoadConfigOptions {
  readonly cwd: string;
  /** Path of the file, for `--config`. @default looked for in `cwd` and the folders above */
  readonly file?: string | undefined;
}

/**
 * Loads the configuration: Node itself strips the types of a TypeScript file, so that its modules are the same instances as those of the
 * command, and errors point at its lines.
 *
 * @returns Null when there is none and none was asked for.
 * @throws {@link ConfigError} naming the file, and the field where there is one.
 */
export async function loadConfig({ cwd, file }: LoadConfigOptions): Promise<LoadedConfig | null> {
  const path = file === undefined ? findConfig(cwd) : resolve(cwd, file);
  if (path === null) return null;
  if (!existsSync(path)) throw new ConfigError(path, null, 'there is no such file.');
  return { file: path, config: checkConfig(await importConfig(path), path) };
}

function findConfig(cwd: string): string | null {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return null;
  }
}

async function importConfig(path: string): Promise<unknown> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new ConfigError(
      path,
      null,
      `it cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        ...hintFor(cause),
      },
    );
  }
  if (!('default' in exported))
    throw new ConfigError(path, null, 'it has no default export. Write `export default defineConfig({ … })`.');
  return exported['default'];
}

function hintFor(cause: unknown): { readonly hint?: string } {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND')
    return { hint: 'Relative imports name the file with its ending, such as ./actors.ts.' };
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return {
      hint: 'Node only strips types: enums, namespaces and parameter properties need a loader, such as NODE_OPTIONS="--import tsx".',
    };
  if (cause instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(cause.message))
    return {
      hint: 'Its package.json says "type": "commonjs". Name the file perennial.config.mts, or set "type": "module".',
    };
  return {};
}
