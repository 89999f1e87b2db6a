import type { Metadata } from 'next';
import { connection } from 'next/server';

import { KnowledgeView } from '../../components/knowledge/knowledge-view.tsx';
import { demo } from '../../server/demo.ts';
import { readKnowledge } from '../../server/knowledge/knowledge-log.ts';

export const metadata: Metadata = { title: 'Knowledge' };

export default async function KnowledgePage() {
  await connection();
  const { corpus, config, store } = demo();
  const [snapshot, overview] = await Promise.all([readKnowledge(store), corpus.overview()]);
  return (
    <KnowledgeView
      snapshot={snapshot}
      folder={{
        label: config.documentsLabel,
        documents: overview.folderDocuments,
        passages: overview.folderPassages,
        problems: overview.folderProblems,
      }}
      byPath={config.importRoot !== null}
    />
  );
}
