import type { List, Nodes, Paragraph, RootContent } from 'mdast';

import { parseMarkdown, plainText, printMarkdown } from '../corpus/markdown.ts';
import { toTerms } from '../corpus/terms.ts';

/** A sentence with its markup, and the terms in it. */
export interface Sentence {
  readonly markdown: string;
  readonly terms: readonly string[];
  /** Number of words. */
  readonly words: number;
}

/** A part of a passage that an extract may quote. `prose` may be quoted sentence by sentence, the others only whole. */
export interface Block {
  readonly kind: 'prose' | 'list' | 'code' | 'table';
  readonly markdown: string;
  /** Of `prose` the sentences, of `list` the items; empty for the others. */
  readonly sentences: readonly Sentence[];
}

/** The quotable blocks of a passage's Markdown, in order. */
export function toBlocks(markdown: string): Block[] {
  return parseMarkdown(markdown).children.flatMap(toBlock);
}

function toBlock(node: RootContent): Block[] {
  switch (node.type) {
    case 'paragraph':
      return [{ kind: 'prose', markdown: printMarkdown(node), sentences: toSentences(node) }];
    case 'blockquote':
      return node.children.flatMap(toBlock);
    case 'list':
      return [{ kind: 'list', markdown: printMarkdown(node), sentences: toItems(node) }];
    case 'code':
      return [{ kind: 'code', markdown: printMarkdown(node), sentences: [] }];
    case 'table':
      return [{ kind: 'table', markdown: printMarkdown(node), sentences: [] }];
    default:
      return [];
  }
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Splits a paragraph at the ends of its sentences, but never inside code, links or emphasis. */
function toSentences(paragraph: Paragraph): Sentence[] {
  // Printed and parsed again, so that offsets refer to the text that is cut.
  const markdown = printMarkdown(paragraph).replaceAll(/\\?\n/g, ' ');
  const [printed] = parseMarkdown(markdown).children;
  if (printed?.type !== 'paragraph') return [toSentence(paragraph, markdown)];
  let mask = markdown;
  for (const { type, position } of printed.children) {
    const [start, end] = [position?.start.offset, position?.end.offset];
    if (type === 'text' || start === undefined || end === undefined) continue;
    mask = `${mask.slice(0, start)}${'x'.repeat(end - start)}${mask.slice(end)}`;
  }
  return [...segmenter.segment(mask)].flatMap(({ index, segment }) => {
    const sentence = markdown.slice(index, index + segment.length).trim();
    return sentence === '' ? [] : [toSentence(parseMarkdown(sentence), sentence)];
  });
}

function toSentence(node: Nodes, markdown: string): Sentence {
  const text = plainText(node);
  return { markdown, terms: toTerms(text), words: text.split(' ').length };
}

/** Each item as a list of its own, which keeps its number. */
function toItems(list: List): Sentence[] {
  return list.children.map((item, index) => {
    const start = list.ordered ? (list.start ?? 1) + index : null;
    return toSentence(item, printMarkdown({ ...list, spread: false, start, children: [item] }));
  });
}
