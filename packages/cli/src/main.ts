import process from 'node:process';

import { CommanderError } from '@commander-js/extra-typings';

import type { CommandContext, CommonFlags } from './commands/context.ts';
import type { RunCommand } from './definitions/program-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createProgram } from './program.ts';
import type { Io } from './terminal/io.ts';
import { createMessages } from './terminal/messages.ts';
import { createOutput } from './terminal/output.ts';
import { catchSignals } from './terminal/signals.ts';

/** Runs the command line of this process and resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const io: Io = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  };
  leaveQuietlyWithoutReader();
  const { signal, release } = catchSignals();
  let exitCode: ExitCode = EXIT.ok;
  const run: RunCommand = async (flags, command) => {
    exitCode = await command(createContext(io, flags, signal));
  };
  try {
    await createProgram({ io, run }).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed what is wrong with the arguments, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    // Loaded now, because it brings the streams with it.
    const { toFailure } = await import('./failure.ts');
    const failure = toFailure(error);
    createMessages(io).fail(failure);
    return failure.exitCode;
  } finally {
    release();
  }
}

function createContext(io: Io, flags: CommonFlags, signal: AbortSignal): CommandContext {
  return { io, output: createOutput(io), messages: createMessages(io, { quiet: flags.quiet === true }), signal };
}

/** `perennial tail s | head` has done its work when `head` has. */
function leaveQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      process.exit(EXIT.ok);
    });
  }
}
