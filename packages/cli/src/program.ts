import { Command } from '@commander-js/extra-typings';

import { addActor } from './definitions/actor.ts';
import { addCompletion } from './definitions/completion.ts';
import type { ProgramOptions } from './definitions/program-options.ts';
import { addReadingCommands } from './definitions/reading.ts';
import { addServe } from './definitions/serve.ts';
import { addWorker } from './definitions/worker.ts';
import { addWritingCommands } from './definitions/writing.ts';
import { EXIT_CODE_HELP } from './exit-codes.ts';
import { version } from './version.ts';

const DESCRIPTION = 'Follow, write, inspect and serve durable streams, and run actors.';

const HELP = `
Where the streams are is said by --url, --redis or --dir, by PERENNIAL_URL,
PERENNIAL_REDIS or PERENNIAL_DIR, or by \`store\` in the nearest
perennial.config.ts, in this order.

Examples:
  perennial serve --dir .streams
  perennial append --dir .streams answers/42 '"Hello"' --json
  perennial tail --url http://127.0.0.1:4437 answers/42
  perennial actor run chat-agent --stream

${EXIT_CODE_HELP}`;

/** Declares all commands. What a command needs is only loaded when it runs, so that help and mistakes cost nothing. */
export function createProgram(options: ProgramOptions): Command {
  const program = describeProgram(options);
  addCompletion(program, options, () => describeProgram(options));
  return program;
}

function describeProgram(options: ProgramOptions): Command {
  const { stdout, stderr } = options.io;
  const program = new Command('perennial')
    .description(DESCRIPTION)
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .showHelpAfterError('perennial --help tells more.')
    .addHelpText('after', HELP);
  addReadingCommands(program, options);
  addWritingCommands(program, options);
  addServe(program, options);
  addActor(program, options);
  addWorker(program, options);
  return program;
}
