import { getStreamWriter, type Result, type StreamStore } from '@perennial/core';

import type { KnowledgeSnapshot } from '../../lib/knowledge-snapshot.ts';
import {
  foldKnowledge,
  type Imports,
  type ImportState,
  KNOWLEDGE_LOG,
  type KnowledgeEvent,
  knowledgeEventSchema,
} from '../../lib/knowledge.ts';
import { readNow } from '../chats/read-now.ts';

/** The imports as they are; null before the first one. */
export async function readKnowledge(store: StreamStore): Promise<KnowledgeSnapshot | null> {
  const log = await readNow(store, KNOWLEDGE_LOG, knowledgeEventSchema);
  return log && { imports: log.values.reduce<Imports>(foldKnowledge, []), position: log.position };
}

/** One import; null when there is none of this id. */
export async function findImport(store: StreamStore, id: string): Promise<ImportState | null> {
  const knowledge = await readKnowledge(store);
  return knowledge?.imports.find((state) => state.id === id) ?? null;
}

/** Notes an event. The same event of the same `occasion` is noted once, also after a crash. */
export async function noteKnowledge(store: StreamStore, event: KnowledgeEvent, occasion = 0): Promise<void> {
  const writer = getStreamWriter<KnowledgeEvent>({
    store,
    streamId: KNOWLEDGE_LOG,
    producer: { id: `${event.id}/${event.type}/${occasion}`, epoch: 0, seq: 0 },
  });
  orThrow(await writer.write(event));
  orThrow(await writer.flush());
}

/** The value of a result. */
export function orThrow<T>(result: Result<T, Error>): T {
  if (!result.ok) throw result.error;
  return result.value;
}
