import { isStreamError } from '@perennial/core';

import { type ExitCode, stoppedCode } from '../exit-codes.ts';
import { openTarget, type Target } from '../target/open-target.ts';
import type { TargetFlags } from '../target/target-flags.ts';
import { resolveTarget } from '../target/target-spec.ts';
import type { CommandContext } from './context.ts';
import { untilAborted } from './until-aborted.ts';

/** How a command uses the streams. */
export interface WithTargetOptions {
  readonly flags: TargetFlags;
  readonly access: 'read' | 'write';
  /** The work notices by itself that it was stopped. Otherwise it is left behind. @default false */
  readonly watchesSignal?: boolean;
}

/** Opens the streams, lets `work` have them, and closes them whatever happens. */
export async function withTarget(
  { io, messages, signal }: CommandContext,
  { flags, access, watchesSignal = false }: WithTargetOptions,
  work: (target: Target) => Promise<ExitCode>,
): Promise<ExitCode> {
  const target = await openTarget(await resolveTarget(flags, io), { access, messages });
  try {
    const working = work(target);
    if (watchesSignal) return await working;
    // A server that never answers must not hold up whoever pressed Ctrl-C.
    const stopped = untilAborted(signal).then(() => stoppedCode(signal));
    const exitCode = await Promise.race([working, stopped]);
    if (signal.aborted) working.catch(() => undefined);
    return exitCode;
  } catch (error) {
    // What a client library says of a server that is away does not name the server.
    if (isStreamError(error) && error.code === 'STORE_ERROR' && !error.message.includes(target.label))
      messages.note(`Asked for: ${target.label}`);
    throw error;
  } finally {
    await target.close();
  }
}
