import type { StreamStore } from '@perennial/core';

import {
  foldKnowledge,
  type Imports,
  KNOWLEDGE_LOG,
  knowledgeEventSchema,
  passagesStreamId,
} from '../../lib/knowledge.ts';
import { readNow } from '../chats/read-now.ts';
import { type IndexedPassage, passageBatchSchema } from './indexed-passage.ts';
import type { PassageIndex } from './passage-index.ts';

interface Taken {
  readonly passages: IndexedPassage[];
  /** Where its stream goes on. */
  position: number;
}

/** Keeps an index in step with the imports in the store, also while they run: what is stored can be found. */
export class ImportedDocuments {
  readonly #store: StreamStore;
  readonly #index: PassageIndex;
  #imports: Imports = [];
  #logPosition = 0;
  readonly #taken = new Map<string, Taken>();

  constructor(store: StreamStore, index: PassageIndex) {
    this.#store = store;
    this.#index = index;
  }

  get passages(): readonly IndexedPassage[] {
    return [...this.#taken.values()].flatMap(({ passages }) => passages);
  }

  /** Takes in what was imported or removed since the last time. */
  async refresh(): Promise<void> {
    const log = await readNow(this.#store, KNOWLEDGE_LOG, knowledgeEventSchema, this.#logPosition);
    if (!log) return;
    this.#imports = log.values.reduce(foldKnowledge, this.#imports);
    this.#logPosition = log.position;
    const ids = new Set(this.#imports.map(({ id }) => id));
    for (const [id, { passages }] of this.#taken) {
      if (ids.has(id)) continue;
      this.#taken.delete(id);
      for (const { passage } of passages) this.#index.remove(passage.id);
    }
    for (const id of ids) await this.#takeIn(id);
  }

  async #takeIn(id: string): Promise<void> {
    const taken = this.#taken.get(id) ?? { passages: [], position: 0 };
    const stored = await readNow(this.#store, passagesStreamId(id), passageBatchSchema, taken.position);
    if (!stored) return;
    this.#taken.set(id, taken);
    taken.position = stored.position;
    for (const { passage, terms } of stored.values.flat()) {
      // Two imports may hold files of the same name.
      const item = { passage: { ...passage, id: `${id}:${passage.id}` }, terms };
      taken.passages.push(item);
      this.#index.add(item);
    }
  }
}
