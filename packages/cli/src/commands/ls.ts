import type { StreamHead } from '@perennial/core';

import { EXIT, type ExitCode } from '../exit-codes.ts';
import { paint, type Style } from '../terminal/messages.ts';
import { printable } from '../terminal/printable.ts';
import { table } from '../terminal/table.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { isoTime, stateOf } from './show-head.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial ls`. */
export interface LsFlags extends CommonFlags {
  readonly json?: true | undefined;
  readonly limit?: number | undefined;
}

const PAGE = 200;
const STYLES: Readonly<Record<string, Style>> = {
  open: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
};

/** Lists streams, page by page, so that a long list starts at once and `| head` ends it. */
export function ls(context: CommandContext, prefix: string, flags: LsFlags): Promise<ExitCode> {
  return withTarget(context, { flags, access: 'read' }, async ({ store }) => {
    const { output, messages, signal } = context;
    let left = flags.limit ?? Infinity;
    let after: string | undefined;
    let count = 0;
    while (left > 0 && !signal.aborted) {
      const page = await store.list({ prefix, limit: Math.min(PAGE, left), ...(after !== undefined && { after }) });
      for (const line of flags.json ? page.streams.map((head) => JSON.stringify(head)) : rows(context, page.streams))
        await output.line(line);
      count += page.streams.length;
      left -= page.streams.length;
      after = page.next;
      if (after === undefined) break;
    }
    if (count === 0) messages.note(prefix === '' ? 'There are no streams.' : `No stream begins with ${prefix}.`);
    return EXIT.ok;
  });
}

function rows({ io }: CommandContext, heads: readonly StreamHead[]): string[] {
  const lines = table(
    heads.map((head) => [stateOf(head), String(head.nextPosition), isoTime(head.createdAt), printable(head.id)]),
  );
  return lines.map((line, i) => {
    const state = heads[i] ? stateOf(heads[i]) : '';
    const style = STYLES[state];
    return style ? paint(io.stdout, style, state) + line.slice(state.length) : line;
  });
}
