import type { Root } from 'mdast';
import { expect, test } from 'vitest';

import { remarkCitations } from '../src/lib/remark-citations.ts';
import { parseMarkdown } from '../src/server/corpus/markdown.ts';

/** The inline nodes of one paragraph as `type:text`. */
function cite(markdown: string): string[] {
  const root: Root = parseMarkdown(markdown);
  remarkCitations()(root);
  const [block] = root.children;
  if (block?.type !== 'paragraph') return [block?.type ?? ''];
  return block.children.map((node) => {
    const text =
      'value' in node
        ? node.value
        : 'children' in node && node.children[0] && 'value' in node.children[0]
          ? node.children[0].value
          : '';
    return `${node.data?.hName ?? node.type}:${text}`;
  });
}

test('turns numbers in brackets into citations', () => {
  expect(cite('One [1] two[2][3].')).toEqual(['text:One\u00A0', 'cite:1', 'text: two', 'cite:2', 'cite:3', 'text:.']);
  expect(cite('[1]')).toEqual(['cite:1']);
});

test('leaves code, links and other brackets alone', () => {
  expect(cite('`a[1]` [x] [123]')).toEqual(['inlineCode:a[1]', 'text: [x] [123]']);
  expect(cite('[a [1] b](https://example.org)')).toEqual(['link:a [1] b']);
  expect(cite('    a[1]')).toEqual(['code']);
});
