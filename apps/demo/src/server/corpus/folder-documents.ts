import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { collectProblems, documentPipeline } from './document-pipeline.ts';
import { type DocumentRoots, findMarkdownFiles } from './find-files.ts';
import type { IndexedPassage } from './indexed-passage.ts';
import type { PassageIndex } from './passage-index.ts';
import type { DocumentFile } from './read-document.ts';

interface TakenFile {
  /** Changes whenever the content may have changed. */
  readonly version: string;
  readonly passages: IndexedPassage[];
  /** Why there are none. */
  problem: string | null;
}

/** Keeps an index in step with the files of a folder: what is new or changed goes through the document pipeline. */
export class FolderDocuments {
  readonly #roots: DocumentRoots;
  readonly #index: PassageIndex;
  /** By file name, in file order. */
  #files: ReadonlyMap<string, TakenFile> = new Map();

  constructor(roots: DocumentRoots, index: PassageIndex) {
    this.#roots = roots;
    this.#index = index;
  }

  get passages(): readonly IndexedPassage[] {
    return [...this.#files.values()].flatMap(({ passages }) => passages);
  }

  /** What is wrong with files that are left out. */
  get problems(): readonly string[] {
    return [...this.#files.values()].flatMap(({ problem }) => problem ?? []);
  }

  /** Takes in what changed on the disk. */
  async refresh(): Promise<void> {
    const files = new Map<string, TakenFile>();
    const changed: DocumentFile[] = [];
    for await (const file of findMarkdownFiles(this.#roots)) {
      const version = await versionOf(join(this.#roots.base, file.name));
      const known = this.#files.get(file.name);
      if (known?.version === version) files.set(file.name, known);
      else {
        files.set(file.name, { version, passages: [], problem: null });
        changed.push(file);
      }
    }
    await this.#takeIn(changed, files);
    this.#swap(files);
  }

  async #takeIn(changed: readonly DocumentFile[], files: ReadonlyMap<string, TakenFile>): Promise<void> {
    const run = documentPipeline({ base: this.#roots.base }).executeFrom(changed);
    const problems = collectProblems(run.errors);
    for await (const batch of run) for (const item of batch) files.get(item.passage.file)?.passages.push(item);
    for (const { file, message } of await problems) {
      const taken = files.get(file);
      if (taken) taken.problem = message;
    }
  }

  #swap(files: ReadonlyMap<string, TakenFile>): void {
    for (const [name, old] of this.#files) {
      if (files.get(name) !== old) for (const { passage } of old.passages) this.#index.remove(passage.id);
    }
    for (const [name, taken] of files) {
      if (this.#files.get(name) !== taken) for (const item of taken.passages) this.#index.add(item);
    }
    this.#files = files;
  }
}

async function versionOf(path: string): Promise<string> {
  const info = await stat(path).catch(() => null);
  return info ? `${info.mtimeMs}:${info.size}` : 'gone';
}
