import type { TargetFlags } from '../target/target-flags.ts';
import type { Io } from '../terminal/io.ts';
import type { Messages } from '../terminal/messages.ts';
import type { Output } from '../terminal/output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly io: Io;
  /** Standard output: data. */
  readonly output: Output;
  /** Standard error: messages. */
  readonly messages: Messages;
  /** Fires on Ctrl-C and on SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
}

/** Options that every command has. */
export interface CommonFlags extends TargetFlags {
  readonly quiet?: true | undefined;
}
