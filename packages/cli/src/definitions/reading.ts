import { type Command, Option } from '@commander-js/extra-typings';

import { count, seconds, start, withTargetOptions } from './options.ts';
import type { ProgramOptions } from './program-options.ts';

/** Declares the commands that change nothing: `tail`, `ls` and `inspect`. */
export function addReadingCommands(program: Command, options: ProgramOptions): void {
  addTail(program, options);
  addLs(program, options);
  addInspect(program, options);
}

const TAIL_HELP = `
Each record is one line: its value as JSON. The end is told on standard error,
and by the exit code. Retracted values are not taken back; a message says so,
and --json has a line for it.

Examples:
  perennial tail answers/42                     all of it, then live, until its end
  perennial tail answers/42 --raw               the text itself, as it grows
  perennial tail logs/build --last 20           the last 20 records, then live
  perennial tail answers/42 --no-follow --json  what is there now, for programs
  perennial tail answers/42 --from 17           go on where something stopped

Exit codes: 0 completed, 10 failed, 11 cancelled, 130 stopped by Ctrl-C.`;

function addTail(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('tail')
    .description('show a stream, live, until its end')
    .argument('<stream>', 'id of the stream')
    .addOption(new Option('--from <position>', 'first position wanted, or "now" (default: 0)').argParser(start))
    .addOption(
      new Option('--last <count>', 'start so many records before the tail').argParser(count(0)).conflicts('from'),
    )
    .option('--no-follow', 'stop at the tail')
    .addOption(
      new Option('--raw', 'values only: strings and bytes as they are, nothing between them').conflicts('json'),
    )
    .option('--json', 'one JSON object per line: records, retractions, the end')
    .addOption(
      new Option('--wait <seconds>', 'how long to wait for a stream that does not exist yet').argParser(seconds),
    );
  withTargetOptions(command)
    .addHelpText('after', TAIL_HELP)
    .action((stream, flags) =>
      run(flags, async (context) => (await import('../commands/tail.ts')).tail(context, stream, flags)),
    );
}

const LS_HELP = `
Columns: state, records, time of creation, id. --json has everything.

Examples:
  perennial ls
  perennial ls answers/ --limit 20
  perennial ls --json | jq -r 'select(.end == null) | .id'`;

function addLs(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('ls')
    .description('list streams')
    .argument('[prefix]', 'only ids that begin with this', '')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(count(1)))
    .option('--json', 'one JSON object per line');
  withTargetOptions(command)
    .addHelpText('after', LS_HELP)
    .action((prefix, flags) =>
      run(flags, async (context) => (await import('../commands/ls.ts')).ls(context, prefix, flags)),
    );
}

const INSPECT_HELP = `
Producers are those of the last 1,000 records.

Examples:
  perennial inspect answers/42
  perennial inspect answers/42 --json | jq .end`;

function addInspect(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('inspect')
    .description('show all about a stream but its records')
    .argument('<stream>', 'id of the stream')
    .option('--json', 'one JSON object');
  withTargetOptions(command)
    .addHelpText('after', INSPECT_HELP)
    .action((stream, flags) =>
      run(flags, async (context) => (await import('../commands/inspect.ts')).inspect(context, stream, flags)),
    );
}
