import { type RunningCli, startCli, type CliOptions } from './cli.ts';

/** `perennial serve` in a process of its own. */
export interface ServeProcess {
  readonly url: string;
  readonly cli: RunningCli;
}

/** Starts `perennial serve` on a free port, or on a given one; resolves once it takes requests. */
export async function startServer(
  args: readonly string[],
  { port = 0, ...options }: CliOptions & { readonly port?: number } = {},
): Promise<ServeProcess> {
  const cli = startCli(['serve', '--port', String(port), ...args], options);
  await cli.sees(/^http:\/\/\S+\n/);
  return { url: cli.stdout().trim(), cli };
}
