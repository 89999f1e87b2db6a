import { type Command, Option } from '@commander-js/extra-typings';

import { basePath, collect, port, withTargetOptions } from './options.ts';
import type { ProgramOptions } from './program-options.ts';

const HELP = `
Prints its URL on standard output once it takes requests. Whoever has the token
may do everything; without one, only this machine is let in. SIGTERM and Ctrl-C
end live responses so that clients resume elsewhere, then the server.

While it runs, other commands on the same folder write through it.

Examples:
  perennial serve --dir .streams
  perennial serve --redis redis://127.0.0.1:6379 --port 0
  PERENNIAL_TOKEN=$(openssl rand -hex 32) perennial serve --dir /var/lib/streams --host 0.0.0.0`;

/** Declares `serve`. */
export function addServe(program: Command, { run }: ProgramOptions): void {
  const command = program
    .command('serve')
    .description('serve streams over HTTP')
    .addOption(new Option('--port <port>', 'port; 0 takes a free one').argParser(port).default(4437))
    .option('--host <host>', 'address to listen on; others than this machine need a token', '127.0.0.1')
    .addOption(new Option('--path <path>', 'path below which the streams are').argParser(basePath).default('/'))
    .addOption(
      new Option('--cors <origin>', 'let pages of this origin in; may be repeated, "*" for all').argParser(collect),
    );
  withTargetOptions(command)
    .addHelpText('after', HELP)
    .action((flags) => run(flags, async (context) => (await import('../commands/serve.ts')).serve(context, flags)));
}
