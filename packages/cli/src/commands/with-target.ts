import { isStreamError } from '@perennial/core';

import { openTarget, type Target } from '../target/open-target.ts';
import type { TargetFlags } from '../target/target-flags.ts';
import { resolveTarget } from '../target/target-spec.ts';
import type { CommandContext } from './context.ts';

/** Opens the streams, lets `work` have them, and closes them whatever happens. */
export async function withTarget<T>(
  { io, messages }: CommandContext,
  { flags, access }: { readonly flags: TargetFlags; readonly access: 'read' | 'write' },
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const target = await openTarget(await resolveTarget(flags, io), { access, messages });
  try {
    return await work(target);
  } catch (error) {
    // What a client library says of a server that is away does not name the server.
    if (isStreamError(error) && error.code === 'STORE_ERROR' && !error.message.includes(target.label))
      messages.note(`Asked for: ${target.label}`);
    throw error;
  } finally {
    await target.close();
  }
}
