import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';

/** The repository. */
export const root: string = resolve(import.meta.dirname, '../../../../..');

/** A Markdown file of the repository. */
export interface Document {
  /** Relative to {@link root}, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: Root;
}

/** Folders that hold what was installed, built or generated. */
const IGNORED = new Set([
  'node_modules',
  'dist',
  '.next',
  '.git',
  '.cache',
  '.turbo',
  '.changeset',
  '.perennial',
  '.reports',
]);

/** Every Markdown file that people wrote, sorted by path. */
export function readDocuments(): Document[] {
  return markdownFiles(root)
    .map((file) => {
      const text = readFileSync(file, 'utf8');
      return { path: relative(root, file).split(sep).join('/'), text, tree: fromMarkdown(text) };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** True for the documents whose code users paste: the README files and the guides. */
export function isUserFacing({ path }: Document): boolean {
  return basename(path) === 'README.md' || dirname(path) === 'docs';
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : markdownFiles(join(folder, entry.name));
    return entry.name.endsWith('.md') && entry.name !== 'CHANGELOG.md' ? [join(folder, entry.name)] : [];
  });
}
