import type { Command } from '@commander-js/extra-typings';

import { withProjectOptions, withTargetOptions } from './options.ts';
import type { ProgramOptions } from './program-options.ts';

/** Declares `actor run` and `actor list`. */
export function addActor(program: Command, options: ProgramOptions): void {
  const actor = program
    .command('actor')
    .description('run and list the actors of perennial.config.ts')
    .addHelpText('after', '\nExamples:\n  perennial actor list\n  perennial actor run chat-agent --stream');
  addRun(actor, options);
  addList(actor, options);
}

const RUN_HELP = `
The actor runs in this process, or with --remote in a worker that shares the
queue and the streams. Its result goes to standard output, progress to standard
error: a spinner on a terminal, plain lines elsewhere. With --json each chunk is
one line of standard output. Ctrl-C cancels the actor, wherever it runs.

Examples:
  perennial actor run chat-agent --stream --input '{"prompt":"Write a haiku"}'
  perennial actor run chat-agent --input @question.json > answer.txt
  perennial actor run chat-agent --stream --remote --redis redis://127.0.0.1
  perennial actor run chat-agent --stream --json --input - < question.json | jq -r '.data.token? // empty'

Exit codes: 0 complete, 3 there is no such actor, 10 failed, 130 cancelled by
Ctrl-C.`;

function addRun(actor: Command, { run }: ProgramOptions): void {
  const command = actor
    .command('run')
    .description('run an actor')
    .argument('<type>', 'type of the actor')
    .option('--input <json>', 'input as JSON; @file reads a file, "-" standard input (default: {})')
    .option('--stream', 'show progress as the result comes, instead of waiting for it')
    .option('--json', 'one JSON object per line: each chunk, or the result')
    .option('--remote', 'run it in a worker: perennial worker')
    .option('--address <address>', 'where workers listen (default: that of the configuration)');
  withTargetOptions(command)
    .addHelpText('after', RUN_HELP)
    .action((type, flags) =>
      run(flags, async (context) => (await import('../commands/actor-run.ts')).actorRun(context, type, flags)),
    );
}

const LIST_HELP = `
Examples:
  perennial actor list
  perennial actor list --json | jq -r .type`;

function addList(actor: Command, { run }: ProgramOptions): void {
  const command = actor.command('list').description('list actors').option('--json', 'one JSON object per line');
  withProjectOptions(command)
    .addHelpText('after', LIST_HELP)
    .action((flags) =>
      run(flags, async (context) => (await import('../commands/actor-list.ts')).actorList(context, flags)),
    );
}
