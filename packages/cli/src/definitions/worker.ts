import { type Command, Option } from '@commander-js/extra-typings';

import { count, seconds, withTargetOptions } from './options.ts';
import type { ProgramOptions } from './program-options.ts';

const HELP = `
Takes jobs from the queue of perennial.config.ts, or from BullMQ on the Redis in
which the streams are. Any number of workers, in any number of processes, share
them; a job whose worker dies goes to another one.

SIGTERM and Ctrl-C drain: no more jobs are taken, and those begun are finished.
What takes longer than --drain is handed to another worker.

Examples:
  perennial worker --redis redis://127.0.0.1:6379
  perennial worker --concurrency 10 --drain 120`;

/** Declares `worker`. */
export function addWorker(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('worker')
    .description('run actors for callers in other processes')
    .addOption(new Option('--concurrency <count>', 'jobs in work at a time').argParser(count(1)).default(1))
    .option('--address <address>', 'where to listen (default: that of the configuration)')
    .addOption(
      new Option('--max-attempts <count>', 'attempts at a job whose worker dies (default: 5)').argParser(count(1)),
    )
    .addOption(
      new Option('--drain <seconds>', 'how long jobs may take to finish at the end').argParser(seconds).default(30),
    );
  withTargetOptions(command)
    .addHelpText('after', HELP)
    .action((flags) => run(flags, async (context) => (await import('../commands/worker.ts')).worker(context, flags)));
}
