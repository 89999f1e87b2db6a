import { glob, mkdtemp, mkdir, readFile as read, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of files that is gone after the test. */
export async function temporaryFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'pipeline-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Finds files by pattern. */
export class Glob {
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  async *scan({ cwd }: { readonly cwd: string }): AsyncGenerator<string> {
    yield* glob(this.#pattern, { cwd });
  }
}

export interface FileContent {
  readonly path: string;
  readonly content: string;
}

export async function readFile(path: string): Promise<FileContent> {
  return { path, content: await read(path, 'utf8') };
}

export interface Chunk {
  readonly id: string;
  readonly content: string;
  readonly metadata: { readonly source: string };
}

interface SplitOptions {
  readonly minChunkSize: number;
  readonly maxChunkSize: number;
  readonly chunkOverlap: number;
}

/** Cuts a text into pieces of at most `maxChunkSize` characters. */
export async function splitMarkdown(
  content: string,
  source: string,
  metadata: object,
  { maxChunkSize, chunkOverlap }: SplitOptions,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (let start = 0; start < content.length; start += maxChunkSize - chunkOverlap) {
    const text = content.slice(start, start + maxChunkSize);
    chunks.push({ id: `${source}#${chunks.length}`, content: text, metadata: { ...metadata, source } });
    if (start + maxChunkSize >= content.length) break;
  }
  return chunks;
}
