import { isActorError, resolveConfig, type ResolvedConfig } from '@perennial/actor';

import type { PerennialConfig } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { CliError, ConfigError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';

/** A project's configuration with its actors. */
export interface Project {
  readonly file: string;
  readonly config: PerennialConfig;
  /** Everything but store and queue, which the command opens by its own rules. */
  readonly resolved: ResolvedConfig;
}

const EXAMPLE = `Make one, such as:
  import { defineConfig } from '@perennial/cli';
  import { ChatActor } from './chat-actor.ts';
  export default defineConfig({ actors: { 'chat-agent': new ChatActor() } });`;

/**
 * Loads the configuration for a command that cannot do without.
 *
 * @throws {@link CliError} `CONFIG` when there is none, {@link ConfigError} when it makes no sense.
 */
export async function loadProject({ env, cwd }: Io, file: string | undefined): Promise<Project> {
  const loaded = await loadConfig({ cwd, file: file ?? (env['PERENNIAL_CONFIG'] || undefined) });
  if (!loaded) throw new CliError('CONFIG', `There is no perennial.config.ts in ${cwd} or above.`, { hint: EXAMPLE });
  const { store: _store, queue: _queue, ...rest } = loaded.config;
  try {
    return { ...loaded, resolved: resolveConfig(rest) };
  } catch (cause) {
    if (!isActorError(cause)) throw cause;
    throw new ConfigError(loaded.file, null, cause.message, { cause });
  }
}
