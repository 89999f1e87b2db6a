import type { CorpusInfo } from '../lib/corpus-info.ts';
import type { Demo } from './demo.ts';
import { suggest } from './suggestions.ts';

/** What the documents offer now. */
export async function corpusInfo({ corpus, config }: Pick<Demo, 'corpus' | 'config'>): Promise<CorpusInfo> {
  const passages = await corpus.passages();
  const { folderDocuments, importedDocuments } = await corpus.overview();
  return {
    label: config.documentsLabel,
    documents: folderDocuments + importedDocuments,
    imported: importedDocuments,
    suggestions: suggest(passages),
  };
}
