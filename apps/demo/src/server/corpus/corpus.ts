import MiniSearch from 'minisearch';

import { type Passage, toPassages } from './passage.ts';
import { type DocumentRoots, listMarkdownFiles, readMarkdownFile } from './read-files.ts';
import { toTerm, toTerms, toWords } from './terms.ts';

/** A passage that matches a question. */
export interface Match {
  readonly passage: Passage;
  /** Comparable within one search only. */
  readonly score: number;
  /** Share of what the question asks for that the passage mentions, 0 to 1; rare words count more. */
  readonly coverage: number;
}

/** A searchable folder of Markdown. */
export interface Corpus {
  /** The best passages for a question, best first, after taking in files that changed. */
  search(question: string, limit: number): Promise<Match[]>;
  /** Every passage in file order, after taking in files that changed. */
  passages(): Promise<Passage[]>;
}

/** A look at the disk is not repeated within this time. */
const REFRESH_INTERVAL_MS = 1_000;

const INDEX_OPTIONS = {
  fields: ['heading', 'title', 'text'],
  tokenize: toWords,
  processTerm: toTerm,
  extractField: (passage: Passage, field: string): string => {
    if (field === 'id') return passage.id;
    return field === 'heading' ? passage.headings.join(' ') : field === 'title' ? passage.title : passage.text;
  },
};

const SEARCH_OPTIONS = {
  prefix: (term: string): boolean => term.length >= 4,
  boost: { heading: 2.5, title: 1.5 },
  weights: { prefix: 0.6, fuzzy: 0.3 },
};

/** Opens folders and files as a corpus. Nothing is read before the first question. */
export function createCorpus(roots: DocumentRoots, now: () => number = () => performance.now()): Corpus {
  return new FolderCorpus(roots, now);
}

type Files = Map<string, { readonly version: string; readonly passages: readonly Passage[] }>;

class FolderCorpus implements Corpus {
  readonly #roots: DocumentRoots;
  readonly #now: () => number;
  readonly #index = new MiniSearch<Passage>(INDEX_OPTIONS);
  /** By file name, in file order. */
  #files: Files = new Map();
  readonly #passages = new Map<string, Passage>();
  #refreshing: Promise<void> | null = null;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(roots: DocumentRoots, now: () => number) {
    this.#roots = roots;
    this.#now = now;
  }

  async passages(): Promise<Passage[]> {
    await this.#refresh();
    return [...this.#files.values()].flatMap(({ passages }) => passages);
  }

  async search(question: string, limit: number): Promise<Match[]> {
    await this.#refresh();
    const terms = toTerms(question);
    if (terms.length === 0) return [];
    const exact = this.#index.search(question, SEARCH_OPTIONS);
    // Spelling mistakes are forgiven only when nothing matches as written: fuzzy hits would blur good answers.
    const found = exact.length > 0 ? exact : this.#index.search(question, { ...SEARCH_OPTIONS, fuzzy: forgive });
    const weights = new Map(terms.map((term) => [term, this.#rarity(term)]));
    return found
      .flatMap(({ id, score, queryTerms }): Match[] => {
        const passage = this.#passages.get(String(id));
        return passage
          ? [{ passage, score: score * fit(terms, passage), coverage: coverage(weights, queryTerms) }]
          : [];
      })
      .toSorted((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  /** Inverse document frequency: a word in no passage weighs most, one in every passage next to nothing. */
  #rarity(term: string): number {
    const count = this.#index.search(term, { prefix: SEARCH_OPTIONS.prefix }).length;
    return Math.log(1 + (this.#passages.size - count + 0.5) / (count + 0.5));
  }

  #refresh(): Promise<void> {
    if (this.#now() - this.#refreshedAt < REFRESH_INTERVAL_MS) return Promise.resolve();
    this.#refreshing ??= this.#takeInChanges().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #takeInChanges(): Promise<void> {
    const listed = await listMarkdownFiles(this.#roots);
    const next: Files = new Map();
    for (const file of listed) {
      const known = this.#files.get(file.name);
      if (known?.version === file.version) next.set(file.name, known);
      else {
        const text = await readMarkdownFile(file);
        if (text !== null) next.set(file.name, { version: file.version, passages: toPassages(file.name, text) });
      }
    }
    for (const [name, { passages }] of this.#files) {
      if (next.get(name)?.passages !== passages) for (const passage of passages) this.#remove(passage);
    }
    for (const [name, { passages }] of next) {
      if (this.#files.get(name)?.passages !== passages) for (const passage of passages) this.#add(passage);
    }
    this.#files = next;
    this.#refreshedAt = this.#now();
  }

  #add(passage: Passage): void {
    this.#passages.set(passage.id, passage);
    this.#index.add(passage);
  }

  #remove(passage: Passage): void {
    this.#index.remove(passage);
    this.#passages.delete(passage.id);
  }
}

/** Spelling is forgiven in long words only: among short ones nearly everything is near. */
function forgive(term: string): number | false {
  return term.length >= 6 ? 0.2 : false;
}

/** Favours a passage whose heading asks just what the question asks, and prose over a bare list, which is mostly a list of links. */
function fit(terms: readonly string[], { headings, title, listOnly }: Passage): number {
  const heading = toTerms(headings.at(-1) ?? title);
  const common = heading.filter((term) => terms.includes(term)).length;
  const overlap = common / (heading.length + terms.length - common);
  return (1 + overlap) * (listOnly ? 0.5 : 1);
}

function coverage(weights: ReadonlyMap<string, number>, matched: readonly string[]): number {
  let hit = 0;
  let all = 0;
  for (const [term, weight] of weights) {
    all += weight;
    if (matched.includes(term)) hit += weight;
  }
  return all === 0 ? 0 : hit / all;
}
