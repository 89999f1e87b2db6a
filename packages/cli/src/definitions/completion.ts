import type { RootCommand } from '@bomb.sh/tab';
import { Argument, type Command } from '@commander-js/extra-typings';

import { EXIT } from '../exit-codes.ts';
import type { ProgramOptions } from './program-options.ts';

const HELP = `
Examples:
  perennial completion bash > ~/.local/share/bash-completion/completions/perennial
  perennial completion zsh > "\${fpath[1]}/_perennial"
  perennial completion fish > ~/.config/fish/completions/perennial.fish`;

/**
 * Declares `completion`, and the hidden command that the scripts it prints call.
 *
 * @param describe Makes a program with all other commands: what can be completed.
 */
export function addCompletion(program: Command, { run }: ProgramOptions, describe: () => Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(
      new Argument('<shell>', 'the shell to print it for').choices(['bash', 'zsh', 'fish', 'powershell'] as const),
    )
    .addHelpText('after', HELP)
    .action((shell) =>
      run({}, async () => {
        (await load(describe())).setup('perennial', 'perennial', shell);
        return EXIT.ok;
      }),
    );
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words) =>
      run({}, async () => {
        (await load(describe())).parse(words);
        return EXIT.ok;
      }),
    );
}

async function load(program: Command): Promise<RootCommand> {
  const { default: describe } = await import('@bomb.sh/tab/commander');
  // The typings on top of commander describe the same objects, and are not assignable to its own.
  return describe(program as unknown as Parameters<typeof describe>[0], { completionCommandName: 'completion' });
}
