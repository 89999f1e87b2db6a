import type { Root } from 'mdast';
import { visit } from 'unist-util-visit';

import { parseMarkdown } from './markdown.ts';

/** A piece of this many UTF-16 code units takes tens of milliseconds to parse. */
const PIECE_LENGTH = 24_000;
const FENCE = /^ {0,3}(?:```|~~~)/;
/** Lines that can only begin a block of their own after a blank line: no continuation of a list, no front matter. */
const BLOCK_START = /^[#\p{L}>|["“(]/u;

/**
 * Parses a long document piece by piece and lets others have their turn between: a server that parses megabytes at a stretch answers nobody
 * meanwhile. Pieces are cut between blocks; only references to link targets in other pieces are lost, and links are not kept anyway.
 */
export async function parseInPieces(text: string, breathe: () => Promise<void>): Promise<Root> {
  const root: Root = { type: 'root', children: [] };
  for (const { line, piece } of toPieces(text)) {
    const part = parseMarkdown(piece);
    if (line > 0) {
      visit(part, ({ position }) => {
        if (position) position.start.line += line;
      });
    }
    for (const child of part.children) root.children.push(child);
    await breathe();
  }
  return root;
}

/** Pieces with the number of lines before them. */
function* toPieces(text: string): Generator<{ readonly line: number; readonly piece: string }> {
  const lines = text.split('\n');
  let first = 0;
  let length = 0;
  let fenced = false;
  for (const [index, line] of lines.entries()) {
    if (length >= PIECE_LENGTH && !fenced && lines[index - 1]?.trim() === '' && BLOCK_START.test(line)) {
      yield { line: first, piece: lines.slice(first, index).join('\n') };
      first = index;
      length = 0;
    }
    if (FENCE.test(line)) fenced = !fenced;
    length += line.length + 1;
  }
  yield { line: first, piece: lines.slice(first).join('\n') };
}
