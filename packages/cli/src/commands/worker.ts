import { ActorWorker } from '@perennial/actor';

import { ConfigError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openTarget } from '../target/open-target.ts';
import { resolveTarget } from '../target/target-spec.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { loadProject } from './load-project.ts';
import { openQueue } from './open-queue.ts';
import { untilAborted } from './until-aborted.ts';

/** Flags of `perennial worker`. */
export interface WorkerFlags extends CommonFlags {
  readonly concurrency: number;
  readonly address?: string | undefined;
  readonly maxAttempts?: number | undefined;
  /** Seconds. */
  readonly drain: number;
}

/** Runs the configuration's actors for callers in other processes until it is told to stop, then finishes what it has begun. */
export async function worker(context: CommandContext, flags: WorkerFlags): Promise<ExitCode> {
  const { io, messages, signal } = context;
  const project = await loadProject(io, flags.config);
  const { registry, address } = project.resolved;
  const actors = registry.list().map(({ type }) => type);
  if (actors.length === 0) throw new ConfigError(project.file, 'actors', 'is empty: there is nothing to run.');
  const spec = await resolveTarget(flags, io);
  const target = await openTarget(spec, { access: 'write', messages });
  try {
    const queue = await openQueue(project, spec);
    try {
      const listening = new ActorWorker({
        queue,
        store: target.store,
        registry,
        address: flags.address ?? address,
        concurrency: flags.concurrency,
        ...(flags.maxAttempts !== undefined && { maxAttempts: flags.maxAttempts }),
        onError: (error) => messages.warn(error instanceof Error ? error.message : String(error)),
      });
      listening.start();
      messages.note(
        `Working on ${flags.address ?? address}, ${flags.concurrency} at a time: ${actors.join(', ')}. Ctrl-C drains.`,
      );
      await untilAborted(signal);
      messages.note(`Draining for up to ${flags.drain} s; once more ends at once.`);
      await listening.close({ drainMs: flags.drain * 1_000 });
      messages.note('Stopped.');
    } finally {
      await queue.close();
    }
  } finally {
    await target.close();
  }
  return EXIT.ok;
}
