import { z } from 'zod';

import { type Passage, passageSchema } from './passage.ts';
import { toTerm, toWords } from './terms.ts';

/** A passage and the terms by which it is found, joined by spaces: kept, so that a restart need not compute them again. */
export const indexedPassageSchema = z.object({
  passage: passageSchema,
  terms: z.object({ heading: z.string(), title: z.string(), text: z.string() }),
});

/** See {@link indexedPassageSchema}. */
export type IndexedPassage = z.infer<typeof indexedPassageSchema>;

/** One value of an import's stream of passages. */
export const passageBatchSchema = z.array(indexedPassageSchema);

/** Computes the terms of a passage. */
export function tokenise(passage: Passage): IndexedPassage {
  const { headings, title, text } = passage;
  return { passage, terms: { heading: termsOf(headings.join(' ')), title: termsOf(title), text: termsOf(text) } };
}

function termsOf(text: string): string {
  return toWords(text)
    .map(toTerm)
    .filter((term) => term !== null)
    .join(' ');
}
