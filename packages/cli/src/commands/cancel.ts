import { cancelStream } from '@perennial/core/client';

import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial cancel`. */
export interface CancelFlags extends CommonFlags {
  readonly reason?: string | undefined;
}

/** Asks the producer of a stream to stop. On the file store this works from any process, so it never needs the folder's lock. */
export function cancel(context: CommandContext, streamId: string, flags: CancelFlags): Promise<ExitCode> {
  return withTarget(context, { flags, access: 'read' }, async ({ store, endpoint }) => {
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    if (endpoint) {
      const result = await cancelStream({ ...endpoint(streamId), ...reason });
      if (!result.ok) throw result.error;
      context.messages.note(`Asked the producer of ${streamId} to stop.`);
      return EXIT.ok;
    }
    const head = await store.mark(streamId, { type: 'cancel', ...reason });
    context.messages.note(
      head.end
        ? `${streamId} had ended already (${head.end.outcome}); nothing changed.`
        : `Asked the producer of ${streamId} to stop.`,
    );
    return EXIT.ok;
  });
}
