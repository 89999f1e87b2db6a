/** Relative links of the repository's Markdown lead to a file, and to a heading where they name one. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';

import GithubSlugger from 'github-slugger';
import { toString } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { describe, expect, it } from 'vitest';

import { type Document, readDocuments, root } from './support/documents.ts';

const documents = readDocuments();
const byPath = new Map(documents.map((document) => [document.path, document]));

describe('links resolve', () => {
  it.each(documents)('$path', (document) => {
    expect(
      urls(document)
        .map((url) => problem(document, url))
        .filter(Boolean),
    ).toEqual([]);
  });
});

it('reports a missing file and a missing heading', () => {
  const [document] = documents;
  if (!document) throw new Error('There are no documents.');
  expect(problem(document, './no-such-file.md')).toContain('no-such-file.md does not exist');
  expect(problem(document, '#no-such-heading')).toContain('has no heading #no-such-heading');
});

function urls({ tree }: Document): string[] {
  const found: string[] = [];
  visit(tree, ['link', 'image', 'definition'], (node) => {
    if ('url' in node) found.push(node.url);
  });
  return found;
}

/** What is wrong with a link; null when it is fine, or leads out of the repository. */
function problem({ path }: Document, url: string): string | null {
  if (/^[a-z][a-z+.-]*:/i.test(url)) return null;
  if (url.startsWith('/')) return `${url} is absolute: what it means depends on where the document is shown`;
  const [file = '', heading] = decodeURI(url).split('#');
  const target = file === '' ? path : posix.join(posix.dirname(path), file);
  if (!existsSync(join(root, target))) return `${target} does not exist`;
  if (heading === undefined) return null;
  const linked = byPath.get(target);
  if (!linked) return `${target} is no Markdown document and has no headings`;
  return headings(linked).includes(heading) ? null : `${target} has no heading #${heading}`;
}

function headings({ tree }: Document): string[] {
  const slugger = new GithubSlugger();
  const slugs: string[] = [];
  visit(tree, 'heading', (node) => void slugs.push(slugger.slug(toString(node))));
  return slugs;
}
