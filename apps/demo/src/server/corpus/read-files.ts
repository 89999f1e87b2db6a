import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where documents are. */
export interface DocumentRoots {
  /** Names of files are relative to this folder. */
  readonly base: string;
  /** Folders and files below `base`; `''` is all of it. What does not exist gives nothing. */
  readonly paths: readonly string[];
}

/** A Markdown file as the disk shows it. */
export interface MarkdownFile {
  /** Name shown to readers: relative to the base folder, with forward slashes. */
  readonly name: string;
  readonly path: string;
  /** Changes whenever the content may have changed. */
  readonly version: string;
}

/** Files beyond this number are left out. */
const MAX_FILES = 5_000;
/** Larger files are left out: they are data, not prose. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

const MARKDOWN = /\.(?:md|markdown)$/i;

/** Lists the Markdown files below the roots in a stable order. Hidden folders and `node_modules` are skipped. */
export async function listMarkdownFiles({ base, paths }: DocumentRoots): Promise<MarkdownFile[]> {
  const files: MarkdownFile[] = [];
  for (const path of paths) {
    const info = await stat(join(base, path)).catch(() => null);
    if (info?.isDirectory()) await walk(base, path, files);
    else if (info?.isFile()) await add(base, path, files);
  }
  return files;
}

/** The text of a file; null when it has gone since it was listed. */
export async function readMarkdownFile(file: MarkdownFile): Promise<string | null> {
  return readFile(file.path, 'utf8').catch(() => null);
}

async function walk(base: string, folder: string, files: MarkdownFile[]): Promise<void> {
  const entries = await readdir(join(base, folder), { withFileTypes: true }).catch(() => []);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) await walk(base, name, files);
    else if (MARKDOWN.test(entry.name)) await add(base, name, files);
  }
}

async function add(base: string, name: string, files: MarkdownFile[]): Promise<void> {
  if (files.length >= MAX_FILES) return;
  const path = join(base, name);
  const info = await stat(path).catch(() => null);
  if (!info?.isFile() || info.size > MAX_FILE_BYTES) return;
  files.push({ name, path, version: `${info.mtimeMs}:${info.size}` });
}
