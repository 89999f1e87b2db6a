import type { PhrasingContent, Root, Text } from 'mdast';
import { SKIP, visit } from 'unist-util-visit';

const CITATION = /\[(\d{1,2})\]/g;

/** Turns each `[n]` of a Markdown text, but not of its code, into a `cite` element with the number as its text. */
export function remarkCitations(): (tree: Root) => void {
  return (tree) => {
    visit(tree, 'text', (node, index, parent) => {
      if (!parent || index === undefined || parent.type === 'link') return undefined;
      const parts = split(node);
      if (parts.length === 0) return undefined;
      parent.children.splice(index, 1, ...parts);
      return [SKIP, index + parts.length];
    });
  };
}

function split({ value }: Text): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let from = 0;
  for (const match of value.matchAll(CITATION)) {
    // A number must not begin a line on its own.
    if (match.index > from) parts.push({ type: 'text', value: value.slice(from, match.index).replace(/ $/, '\u00A0') });
    // An emphasis that is told to come out as <cite>: Markdown itself has no node for it.
    parts.push({ type: 'emphasis', data: { hName: 'cite' }, children: [{ type: 'text', value: match[1] ?? '' }] });
    from = match.index + match[0].length;
  }
  if (from === 0) return [];
  if (from < value.length) parts.push({ type: 'text', value: value.slice(from) });
  return parts;
}
