import type { StreamStore } from '@perennial/core';

import type { DocumentRoots } from './find-files.ts';
import { FolderDocuments } from './folder-documents.ts';
import { ImportedDocuments } from './imported-documents.ts';
import { type Match, PassageIndex } from './passage-index.ts';
import type { Passage } from './passage.ts';

/** What there is to find. */
export interface CorpusOverview {
  /** Files of the documents' folder with any text. */
  readonly folderDocuments: number;
  readonly folderPassages: number;
  /** What is wrong with files of the folder that are left out. */
  readonly folderProblems: readonly string[];
  /** Files of all imports that were stored so far. */
  readonly importedDocuments: number;
}

/** A searchable folder of Markdown, together with what was imported. */
export interface Corpus {
  /** The best passages for a question, best first, after taking in what changed. */
  search(question: string, limit: number): Promise<Match[]>;
  /** Every passage, the folder's first and in file order, after taking in what changed. */
  passages(): Promise<Passage[]>;
  overview(): Promise<CorpusOverview>;
}

/** Options of {@link createCorpus}. */
export interface CorpusOptions {
  /** Where imports are. @default none: there are no imports */
  readonly store?: StreamStore;
  /** A clock in ms. */
  readonly now?: () => number;
}

/** A look at the documents' folder is not repeated within this time. */
const LOOK_INTERVAL_MS = 1_000;

/** Opens folders and files as a corpus. Nothing is read before the first question. */
export function createCorpus(roots: DocumentRoots, options: CorpusOptions = {}): Corpus {
  return new RefreshedCorpus(roots, options);
}

class RefreshedCorpus implements Corpus {
  readonly #now: () => number;
  readonly #index = new PassageIndex();
  readonly #folder: FolderDocuments;
  readonly #imported: ImportedDocuments | null;
  #refreshing: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(roots: DocumentRoots, { store, now = () => performance.now() }: CorpusOptions) {
    this.#now = now;
    this.#folder = new FolderDocuments(roots, this.#index);
    this.#imported = store ? new ImportedDocuments(store, this.#index) : null;
  }

  async passages(): Promise<Passage[]> {
    await this.#refresh();
    return [...this.#folder.passages, ...(this.#imported?.passages ?? [])].map(({ passage }) => passage);
  }

  async search(question: string, limit: number): Promise<Match[]> {
    await this.#refresh();
    return this.#index.search(question, limit);
  }

  async overview(): Promise<CorpusOverview> {
    await this.#refresh();
    const { passages, problems } = this.#folder;
    return {
      folderDocuments: countFiles(passages),
      folderPassages: passages.length,
      folderProblems: problems,
      importedDocuments: countFiles(this.#imported?.passages ?? []),
    };
  }

  /** A look that is under way may have passed what changed a moment ago, so the answer is one that begins after the call. */
  async #refresh(): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
    this.#refreshing ??= this.#takeInChanges().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #takeInChanges(): Promise<void> {
    if (this.#now() - this.#lookedAt >= LOOK_INTERVAL_MS) {
      await this.#folder.refresh();
      this.#lookedAt = this.#now();
    }
    // The imports tell what became of them: there is only the end of a log to read.
    await this.#imported?.refresh();
  }
}

function countFiles(passages: readonly { readonly passage: Passage }[]): number {
  return new Set(passages.map(({ passage: { id, file } }) => id.slice(0, id.lastIndexOf('#')) || file)).size;
}
