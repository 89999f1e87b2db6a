import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter';
import { gfmFromMarkdown, gfmToMarkdown } from 'mdast-util-gfm';
import { toMarkdown } from 'mdast-util-to-markdown';
import { toString } from 'mdast-util-to-string';
import { frontmatter } from 'micromark-extension-frontmatter';
import { gfm } from 'micromark-extension-gfm';

/** Parses GitHub-flavoured Markdown with YAML front matter. */
export function parseMarkdown(text: string): Root {
  return fromMarkdown(text, {
    extensions: [gfm(), frontmatter()],
    mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown()],
  });
}

/** Writes a tree as Markdown. */
export function printMarkdown(node: Nodes): string {
  return toMarkdown(node, { extensions: [gfmToMarkdown()], bullet: '-', emphasis: '_', rule: '-' }).trim();
}

/** The words of a node on one line, without markup. */
export function plainText(node: Nodes | readonly Nodes[]): string {
  const nodes: readonly Nodes[] = 'type' in node ? [node] : node;
  return nodes.map(blockText).join(' ').replaceAll(/\s+/g, ' ').trim();
}

/** `toString` joins a table's cells and a list's items without a space; words must stay apart. */
function blockText(node: Nodes): string {
  switch (node.type) {
    case 'root':
    case 'blockquote':
    case 'list':
    case 'listItem':
    case 'table':
    case 'tableRow':
      return node.children.map(blockText).join(' ');
    default:
      return toString(node, { includeImageAlt: false });
  }
}

const DROPPED = new Set<Nodes['type']>([
  'definition',
  'footnoteDefinition',
  'footnoteReference',
  'html',
  'image',
  'imageReference',
  'thematicBreak',
  'yaml',
]);

/**
 * Removes what means nothing outside its file: HTML, images, footnotes, and the targets of relative links (their text stays). Changes the
 * tree in place.
 */
export function makePortable(root: Root): Root {
  prune(root);
  return root;
}

function prune(node: Nodes): void {
  if (!('children' in node)) return;
  const kept = (node.children as Nodes[]).flatMap((child): Nodes[] => {
    if (DROPPED.has(child.type)) return [];
    prune(child);
    if (child.type === 'linkReference') return child.children;
    if (child.type === 'link' && !isAbsolute(child.url)) return child.children;
    if (child.type === 'paragraph' && child.children.length === 0) return [];
    return [child];
  });
  node.children = kept as typeof node.children;
}

function isAbsolute(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
