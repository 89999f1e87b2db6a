import { styleText } from 'node:util';

import type { Failure } from '../failure.ts';
import type { Io, TextOutput } from './io.ts';
import { printableLines } from './printable.ts';

/** How a piece of text looks, where there are colours. */
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** What a command tells people, on standard error. */
export interface Messages {
  /** What happens. Left out with `--quiet`. */
  note(text: string): void;
  /** What somebody should look into. */
  warn(text: string): void;
  /** Why the command failed, and what to do. */
  fail(failure: Pick<Failure, 'message' | 'hint'>): void;
}

/** Styles text for a stream: not at all in a pipe, or where NO_COLOR says so. */
export function paint(stream: TextOutput, style: Style, text: string): string {
  return styleText(style, text, { stream, validateStream: true });
}

/** Creates the messages of a command. */
export function createMessages({ stderr }: Io, { quiet = false }: { readonly quiet?: boolean } = {}): Messages {
  const say = (text: string): void => {
    stderr.write(`${printableLines(text)}\n`);
  };
  const mark = (style: Style, word: string, text: string): void => {
    stderr.write(`${paint(stderr, style, word)} ${printableLines(text)}\n`);
  };
  return {
    note: (text) => {
      if (!quiet) say(text);
    },
    warn: (text) => mark('yellow', 'warning:', text),
    fail: ({ message, hint }) => {
      mark('red', 'error:', message);
      if (hint !== undefined) say(hint);
    },
  };
}
