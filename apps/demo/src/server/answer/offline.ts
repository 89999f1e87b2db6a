import { PublicError } from '@perennial/core';

import type { Corpus } from '../corpus/corpus.ts';
import { type Answerer, assertSameAnswerer, type Findings } from './answerer.ts';
import { compose } from './compose.ts';
import { paced } from './pace.ts';
import { toSource } from './to-source.ts';

/** Options of {@link createOfflineAnswerer}. */
export interface OfflineOptions {
  readonly corpus: Corpus;
  /** 0 = no pause at all. */
  readonly wordsPerSecond: number;
}

const SEARCH_LIMIT = 8;

/**
 * Answers by quoting the documents: no model, no network. The same findings always give the same answer, so one that was cut short
 * goes on at the word where it stopped.
 */
export function createOfflineAnswerer({ corpus, wordsPerSecond }: OfflineOptions): Answerer {
  const info = { kind: 'offline', name: 'Extracts' } as const;
  return {
    info,
    continues: true,
    async find({ text }) {
      const matches = await corpus.search(text, SEARCH_LIMIT);
      return { matches, hasDocuments: matches.length > 0 || (await corpus.passages()).length > 0 };
    },
    async *answer({ question, findings, written }, signal) {
      assertSameAnswerer(written, info);
      const extract = compose(question.text, findings.matches);
      const text = extract.text === '' ? nothingFound(findings) : extract.text;
      if (!text.startsWith(written.text)) {
        throw new PublicError(
          'CANNOT_CONTINUE',
          'The server stopped in the middle of this answer and is now of another version, which cannot go on with it.',
        );
      }
      if (written.answerer === null)
        yield { type: 'sources', answerer: info, sources: extract.matches.map(({ passage }) => toSource(passage)) };
      const rest = text.slice(written.text.length);
      for await (const delta of paced(rest, { wordsPerSecond, signal })) yield { type: 'text', delta };
    },
  };
}

function nothingFound({ hasDocuments }: Findings): string {
  if (!hasDocuments)
    return 'There are no documents to answer from. Put Markdown files into the documents folder and ask again.';
  return (
    'I found nothing about this in the documents. ' +
    'Offline answers only quote what is written there, so other words for the same thing may help.'
  );
}
