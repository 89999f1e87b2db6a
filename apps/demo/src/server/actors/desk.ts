import type { Answerer } from '../answer/answerer.ts';

/** What the actors work with. */
export interface Desk {
  /** Who answers: by extracts, or through a model. */
  readonly answerer: Answerer;
  /** Looks up passages; within an answer, those that were found for it already. */
  readonly find: Answerer['find'];
  /** Of texts that no model writes; 0 = no pause. */
  readonly wordsPerSecond: number;
}
