import { StreamNotFoundError } from '@perennial/core';

import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { confirm } from '../terminal/confirm.ts';
import { printable } from '../terminal/printable.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial rm`. */
export interface RmFlags extends CommonFlags {
  readonly yes?: true | undefined;
}

/** Deletes streams, after asking. */
export async function rm(context: CommandContext, streamIds: readonly string[], flags: RmFlags): Promise<ExitCode> {
  const { io, messages } = context;
  if (!flags.yes) {
    if (!io.stdin.isTTY || !io.stderr.isTTY)
      throw new CliError('NOT_CONFIRMED', 'Nothing was deleted: there is no terminal to ask on.', {
        hint: 'Pass --yes.',
      });
    const what = streamIds.length === 1 ? printable(streamIds[0] ?? '') : `${streamIds.length} streams`;
    const answer = await confirm(io, `Delete ${what} with all records?`);
    if (answer !== 'yes') {
      messages.note('Nothing was deleted.');
      return answer === 'no' ? EXIT.usage : EXIT.interrupted;
    }
  }
  return withTarget(context, { flags, access: 'write' }, async ({ store }) => {
    let missing: string | null = null;
    for (const id of streamIds) {
      if (await store.delete(id)) messages.note(`Deleted ${id}.`);
      else missing ??= id;
    }
    if (missing !== null) throw new StreamNotFoundError(missing);
    return EXIT.ok;
  });
}
