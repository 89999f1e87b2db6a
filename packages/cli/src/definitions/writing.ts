import type { Command } from '@commander-js/extra-typings';

import { withTargetOptions } from './options.ts';
import type { ProgramOptions } from './program-options.ts';

/** Declares the commands that change streams: `append`, `cancel` and `rm`. */
export function addWritingCommands(program: Command, options: ProgramOptions): void {
  addAppend(program, options);
  addCancel(program, options);
  addRm(program, options);
}

const APPEND_HELP = `
Without a value, or with "-", each line of standard input becomes one record,
stored as it comes. Records are strings, or with --json the values themselves.
On streams that are not JSON they are bytes, and lines keep their line feed.

With --producer, records are numbered from 0 under that id: a second run with
the same id and input stores nothing twice, and one with more input stores what
is new.

Examples:
  perennial append answers/42 'Hello world'
  perennial append events '{"kind":"deploy","ok":true}' --json
  make 2>&1 | perennial append logs/build --close
  perennial append imports/7 --json --producer import-7 < rows.ndjson`;

function addAppend(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('append')
    .description('append a value, or the lines of standard input')
    .argument('<stream>', 'id of the stream; it is created if there is none')
    .argument('[value]', 'value of one record; "-" reads standard input')
    .option('--json', 'values are JSON, kept as written')
    .option('--close', 'then end the stream as completed')
    .option('--producer <id>', 'number the records under this id, so that repeating stores nothing twice')
    .option('--content-type <type>', 'of a stream that is created (default: application/json)')
    .option('--no-create', 'fail if there is no such stream');
  withTargetOptions(command)
    .addHelpText('after', APPEND_HELP)
    .action((streamId, value, flags) =>
      run(flags, async (context) =>
        (await import('../commands/append.ts')).append(context, { streamId, value }, flags),
      ),
    );
}

const CANCEL_HELP = `
The request is stored with the stream. Its producer stops when it sees it, and
ends the stream as cancelled. This works from any process, also on a folder that
another process writes to.

Examples:
  perennial cancel answers/42
  perennial cancel answers/42 --reason 'wrong question'`;

function addCancel(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('cancel')
    .description('ask the producer of a stream to stop')
    .argument('<stream>', 'id of the stream')
    .option('--reason <text>', 'why; readers see it');
  withTargetOptions(command)
    .addHelpText('after', CANCEL_HELP)
    .action((stream, flags) =>
      run(flags, async (context) => (await import('../commands/cancel.ts')).cancel(context, stream, flags)),
    );
}

const RM_HELP = `
Examples:
  perennial rm answers/42
  perennial rm answers/42 answers/43 --yes`;

function addRm(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('rm')
    .description('delete streams with all records')
    .argument('<streams...>', 'ids of the streams')
    .option('-y, --yes', 'do not ask');
  withTargetOptions(command)
    .addHelpText('after', RM_HELP)
    .action((streams, flags) =>
      run(flags, async (context) => (await import('../commands/rm.ts')).rm(context, streams, flags)),
    );
}
