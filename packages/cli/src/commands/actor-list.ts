import { EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';
import { table } from '../terminal/table.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { loadProject } from './load-project.ts';

/** Flags of `perennial actor list`. */
export interface ActorListFlags extends CommonFlags {
  readonly json?: true | undefined;
}

/** Lists the actors of the configuration. */
export async function actorList({ io, output, messages }: CommandContext, flags: ActorListFlags): Promise<ExitCode> {
  const { file, resolved } = await loadProject(io, flags.config);
  const actors = resolved.registry.list();
  if (actors.length === 0) messages.note(`${file} has no \`actors\`.`);
  const lines = flags.json
    ? actors.map((actor) => JSON.stringify(actor))
    : table(
        actors.map(({ type, streaming, description = '' }) => [
          printable(type),
          streaming ? 'streams' : 'one result',
          printable(description),
        ]),
      );
  for (const line of lines) await output.line(line.trimEnd());
  return EXIT.ok;
}
