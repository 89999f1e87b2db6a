import type { CommandContext, CommonFlags } from '../commands/context.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../terminal/io.ts';

/** Runs a command with its context, and remembers its exit code. */
export type RunCommand = (flags: CommonFlags, command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** What the definitions of commands work with. */
export interface ProgramOptions {
  readonly io: Io;
  readonly run: RunCommand;
}
