import type { AnswerEvent } from '../../lib/answer.ts';
import type { Corpus } from '../corpus/corpus.ts';
import type { Answerer } from './answerer.ts';
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

/** Answers by quoting the documents: no model, no network. The same question about the same documents always gets the same answer. */
export function createOfflineAnswerer({ corpus, wordsPerSecond }: OfflineOptions): Answerer {
  const info = { kind: 'offline', name: 'Extracts' } as const;
  return {
    info,
    async *answer({ text: question }, signal): AsyncGenerator<AnswerEvent> {
      const extract = compose(question, await corpus.search(question, SEARCH_LIMIT));
      yield { type: 'sources', answerer: info, sources: extract.matches.map(({ passage }) => toSource(passage)) };
      const text = extract.text === '' ? await nothingFound(corpus) : extract.text;
      for await (const delta of paced(text, { wordsPerSecond, signal })) yield { type: 'text', delta };
    },
  };
}

async function nothingFound(corpus: Corpus): Promise<string> {
  const passages = await corpus.passages();
  if (passages.length === 0)
    return 'There are no documents to answer from. Put Markdown files into the documents folder and ask again.';
  return (
    'I found nothing about this in the documents. ' +
    'Offline answers only quote what is written there, so other words for the same thing may help.'
  );
}
