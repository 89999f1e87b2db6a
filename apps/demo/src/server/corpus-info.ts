import type { CorpusInfo } from '../lib/corpus-info.ts';
import type { Demo } from './demo.ts';
import { suggest } from './suggestions.ts';

/** What the documents offer now. */
export async function corpusInfo({ corpus, config }: Pick<Demo, 'corpus' | 'config'>): Promise<CorpusInfo> {
  const passages = await corpus.passages();
  return {
    label: config.documentsLabel,
    documents: new Set(passages.map(({ file }) => file)).size,
    suggestions: suggest(passages),
  };
}
