import { createContext } from 'react';

import type { Source } from '../lib/source.ts';

/** What a citation in the text of an answer needs to know. */
export interface Citations {
  readonly sources: readonly Source[];
  /** Shows source `n`, counted from 1. */
  readonly open: (n: number) => void;
}

/** Provided by the answer around the text; Markdown elements cannot be given props of their own. */
export const CitationContext = createContext<Citations | null>(null);
