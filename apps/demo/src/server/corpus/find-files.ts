import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isMarkdownName } from '../../lib/document-name.ts';
import type { DocumentFile } from './read-document.ts';

/** Where documents are. */
export interface DocumentRoots {
  /** Names of files are relative to this folder. */
  readonly base: string;
  /** Folders and files below `base`; `''` is all of it. What does not exist gives nothing. */
  readonly paths: readonly string[];
}

/** Files beyond this number are left out, which the last one found says. */
const MAX_FILES = 20_000;

/**
 * Finds the Markdown files below the roots in a stable order; hidden folders and `node_modules` are skipped. A folder that cannot be read
 * is found too, together with its problem.
 */
export async function* findMarkdownFiles({ base, paths }: DocumentRoots): AsyncGenerator<DocumentFile> {
  let count = 0;
  for (const path of paths) {
    for await (const file of find(base, path)) {
      if (count++ === MAX_FILES) {
        yield { name: path === '' ? 'the rest of the folder' : path, problem: 'TOO_MANY' };
        return;
      }
      yield file;
    }
  }
}

async function* find(base: string, path: string): AsyncGenerator<DocumentFile> {
  const info = await stat(join(base, path)).catch(() => null);
  if (info?.isDirectory()) yield* walk(base, path);
  else if (info) yield { name: path };
}

async function* walk(base: string, folder: string): AsyncGenerator<DocumentFile> {
  const entries = await readdir(join(base, folder), { withFileTypes: true }).catch(() => null);
  if (!entries) {
    yield { name: `${folder}/`, problem: 'UNREADABLE' };
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(base, name);
    else if (isMarkdownName(entry.name)) yield { name };
  }
}
