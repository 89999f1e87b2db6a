import type { Code, List, Nodes, RootContent, Table } from 'mdast';

import { plainText } from './markdown.ts';

/**
 * Cuts a block that is longer than a passage may be where a reader would: a table between rows, each part with the header, a list between
 * items, a quotation between blocks, code between lines, and other text between sentences. What has no such place stays whole.
 */
export function splitBlock(block: RootContent, maxLength: number): RootContent[] {
  if (plainText(block).length <= maxLength) return [block];
  switch (block.type) {
    case 'table':
      return splitTable(block, maxLength);
    case 'list':
      return splitList(block, maxLength);
    case 'blockquote':
      return groups(block.children, maxLength).map((children) => ({ ...block, children, ...placeOf(children[0]) }));
    case 'code':
      return splitCode(block, maxLength);
    case 'paragraph':
      return groups(block.children.flatMap(sentences), maxLength).map((children) => ({
        ...block,
        children,
        ...placeOf(children[0], block),
      }));
    default:
      return [block];
  }
}

function splitTable(table: Table, maxLength: number): Table[] {
  const [header, ...rows] = table.children;
  if (!header) return [table];
  return groups(rows, maxLength).map((part) => ({ ...table, children: [header, ...part], ...placeOf(part[0]) }));
}

function splitList(list: List, maxLength: number): List[] {
  let next = list.start ?? 1;
  return groups(list.children, maxLength).map((children) => {
    const part: List = { ...list, children, ...placeOf(children[0]) };
    if (list.ordered) part.start = next;
    next += children.length;
    return part;
  });
}

function splitCode(code: Code, maxLength: number): Code[] {
  const parts: Code[] = [];
  let lines: string[] = [];
  let length = 0;
  let first = 0;
  const finish = (): void => {
    // One line for the fence.
    const line = (code.position?.start.line ?? 0) + 1 + first;
    parts.push({ ...code, value: lines.join('\n'), ...(code.position && { position: at(line) }) });
  };
  for (const [index, line] of code.value.split('\n').entries()) {
    if (lines.length > 0 && length + line.length > maxLength) {
      finish();
      [lines, length, first] = [[], 0, index];
    }
    lines.push(line);
    length += line.length + 1;
  }
  finish();
  return parts;
}

/** Sentences of a text; markup inside a paragraph is not cut. */
function sentences<T extends Nodes>(node: T): T[] {
  if (node.type !== 'text') return [node];
  return node.value.split(/(?<=[.!?…]\s)/u).map((value) => ({ ...node, value }));
}

/** Neighbours together as long as they fit; one that is too long alone stays alone. */
function groups<T extends Nodes>(nodes: readonly T[], maxLength: number): T[][] {
  const found: T[][] = [];
  let length = 0;
  for (const node of nodes) {
    const size = plainText(node).length + 1;
    const last = found.at(-1);
    if (last && length + size <= maxLength) {
      last.push(node);
      length += size;
    } else {
      found.push([node]);
      length = size;
    }
  }
  return found;
}

function placeOf(first: Nodes | undefined, fallback?: Nodes): { position: NonNullable<Nodes['position']> } | object {
  const position = first?.position ?? fallback?.position;
  return position ? { position } : {};
}

function at(line: number): NonNullable<Nodes['position']> {
  return { start: { line, column: 1 }, end: { line, column: 1 } };
}
