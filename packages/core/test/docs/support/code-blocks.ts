import type { Code, Root } from 'mdast';
import { visit } from 'unist-util-visit';

import type { Document } from './documents.ts';

/**
 * A fenced block. What follows the language on the fence says how a `ts` or `tsx` block is checked: `runnable` (it is also executed, and
 * prints what the block `text output` right below it says), `continues` (the block above is compiled in front of it), `file=PATH`
 * (other blocks of the document import it under this path).
 */
export interface CodeBlock {
  readonly document: string;
  /** Line of the document on which the code begins. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly runnable: boolean;
  readonly continues: boolean;
  readonly file: string | null;
  /** What the block has to print; null when the document does not say. */
  readonly output: string | null;
}

/** @throws {Error} for a word on a fence that means nothing: a typing error must not switch a check off. */
export function codeBlocks({ path, tree }: Document): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  visit(tree, 'code', (node, index, parent) => {
    const line = (node.position?.start.line ?? 0) + 1;
    const words = new Set(node.meta?.split(/\s+/) ?? []);
    const file = [...words].find((word) => word.startsWith('file=')) ?? null;
    const runnable = words.delete('runnable');
    const continues = words.delete('continues');
    words.delete('output');
    if (file) words.delete(file);
    if (words.size > 0) throw new Error(`${path}:${line - 1}: unknown words on the fence: ${[...words].join(' ')}`);
    blocks.push({
      document: path,
      line,
      language: node.lang ?? '',
      code: node.value,
      runnable,
      continues,
      file: file && file.slice('file='.length),
      output: outputAfter(parent as Root | undefined, index),
    });
  });
  return blocks;
}

function outputAfter(parent: Root | undefined, index: number | undefined): string | null {
  const next = parent?.children[(index ?? 0) + 1] as Code | undefined;
  return next?.type === 'code' && next.lang === 'text' && next.meta === 'output' ? next.value.trimEnd() : null;
}
