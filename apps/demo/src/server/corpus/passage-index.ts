import MiniSearch from 'minisearch';

import type { IndexedPassage } from './indexed-passage.ts';
import type { Passage } from './passage.ts';
import { toTerm, toTerms, toWords } from './terms.ts';

/** A passage that matches a question. */
export interface Match {
  readonly passage: Passage;
  /** Comparable within one search only. */
  readonly score: number;
  /** Share of what the question asks for that the passage mentions, 0 to 1; rare words count more. */
  readonly coverage: number;
}

interface Entry extends IndexedPassage {
  readonly id: string;
}

const INDEX_OPTIONS = {
  fields: ['heading', 'title', 'text'] satisfies (keyof IndexedPassage['terms'])[],
  // What is stored are terms already; what is asked for are words.
  tokenize: (terms: string): string[] => terms.split(' '),
  processTerm: (term: string): string => term,
  extractField: ({ id, terms }: Entry, field: string): string =>
    field === 'id' ? id : terms[field as keyof IndexedPassage['terms']],
};

const SEARCH_OPTIONS = {
  tokenize: toWords,
  processTerm: toTerm,
  prefix: (term: string): boolean => term.length >= 4,
  boost: { heading: 2.5, title: 1.5 },
  weights: { prefix: 0.6, fuzzy: 0.3 },
};

/** Finds passages by their terms. */
export class PassageIndex {
  readonly #index = new MiniSearch<Entry>(INDEX_OPTIONS);
  readonly #entries = new Map<string, Entry>();

  add({ passage, terms }: IndexedPassage): void {
    const entry = { id: passage.id, passage, terms };
    this.remove(passage.id);
    this.#entries.set(entry.id, entry);
    this.#index.add(entry);
  }

  /** Does nothing where there is none of this id. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#index.remove(entry);
    this.#entries.delete(id);
  }

  /** The best passages for a question, best first. */
  search(question: string, limit: number): Match[] {
    const terms = toTerms(question);
    if (terms.length === 0) return [];
    const exact = this.#index.search(question, SEARCH_OPTIONS);
    // Spelling mistakes are forgiven only when nothing matches as written: fuzzy hits would blur good answers.
    const found = exact.length > 0 ? exact : this.#index.search(question, { ...SEARCH_OPTIONS, fuzzy: forgive });
    const weights = new Map(terms.map((term) => [term, this.#rarity(term)]));
    return found
      .flatMap(({ id, score, queryTerms }): Match[] => {
        const passage = this.#entries.get(String(id))?.passage;
        return passage
          ? [{ passage, score: score * fit(terms, passage), coverage: coverage(weights, queryTerms) }]
          : [];
      })
      .toSorted((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  /** Inverse document frequency: a word in no passage weighs most, one in every passage next to nothing. */
  #rarity(term: string): number {
    const { length } = this.#index.search(term, { ...SEARCH_OPTIONS, processTerm: (word: string) => word });
    return Math.log(1 + (this.#entries.size - length + 0.5) / (length + 0.5));
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
