import type { Source } from '../../lib/source.ts';
import type { Passage } from '../corpus/passage.ts';

const SNIPPET_LENGTH = 180;

/** The part of a passage that is stored with an answer. */
export function toSource({ title, headings, file, line, markdown, text }: Passage): Source {
  return { title, headings: [...headings], file, line, markdown, snippet: snippet(text) };
}

function snippet(text: string): string {
  if (text.length <= SNIPPET_LENGTH) return text;
  const cut = text.slice(0, SNIPPET_LENGTH).toWellFormed();
  const space = cut.lastIndexOf(' ');
  return `${cut.slice(0, space > 0 ? space : undefined)}…`;
}
