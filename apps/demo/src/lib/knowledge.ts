import { z } from 'zod';

import { idSchema } from './ids.ts';

/** Stream of everything that happened to the knowledge base. It never ends. */
export const KNOWLEDGE_LOG = 'knowledge/log';

/** Steps of an import, in two runs: the files are found first, so that the second one knows how many there are. */
export const importPhaseSchema = z.enum(['discover', 'index']);

/** See {@link importPhaseSchema}. */
export type ImportPhase = z.infer<typeof importPhaseSchema>;

/** What an import came to. */
export const importEndSchema = z.object({
  outcome: z.enum(['completed', 'failed', 'cancelled']),
  /** Files with passages. */
  documents: z.number().int(),
  passages: z.number().int(),
  /** Files that were left out. */
  skippedCount: z.number().int(),
  /** Why, of the first of them. */
  skipped: z.array(z.string()),
  /** Why it failed, for the reader. */
  problem: z.string().nullable(),
});

/** See {@link importEndSchema}. */
export type ImportEnd = z.infer<typeof importEndSchema>;

/** One value of the log. */
export const knowledgeEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('added'),
    id: idSchema,
    label: z.string(),
    /** Folder on the server's disk, relative to the one that imports may come from; null for files that were sent. */
    folder: z.string().nullable(),
    /** ms since 1970. */
    at: z.number(),
  }),
  z.object({ type: z.literal('run'), id: idSchema, phase: importPhaseSchema, stream: z.string() }),
  z.object({ type: z.literal('ended'), id: idSchema, end: importEndSchema }),
  z.object({ type: z.literal('removed'), id: idSchema }),
]);

/** See {@link knowledgeEventSchema}. */
export type KnowledgeEvent = z.infer<typeof knowledgeEventSchema>;

/** One import, as far as it is. */
export interface ImportState {
  readonly id: string;
  readonly label: string;
  readonly folder: string | null;
  /** ms since 1970. */
  readonly at: number;
  /** Runs so far. */
  readonly runs: number;
  /** It was interrupted, and went on where it had stopped. */
  readonly resumed: boolean;
  /** The run that was started last; its stream shows its progress. */
  readonly run: { readonly phase: ImportPhase; readonly stream: string } | null;
  /** Null while it is running, or waits for its server to come back. */
  readonly end: ImportEnd | null;
}

/** What the events of the log add up to: the imports that were not removed, oldest first. */
export type Imports = readonly ImportState[];

/** Adds one event. */
export function foldKnowledge(imports: Imports, event: KnowledgeEvent): Imports {
  switch (event.type) {
    case 'added': {
      const { id, label, folder, at } = event;
      return [...imports, { id, label, folder, at, runs: 0, resumed: false, run: null, end: null }];
    }
    case 'run': {
      const { phase, stream } = event;
      return change(imports, event.id, ({ run, runs, resumed }) => ({
        run: { phase, stream },
        runs: runs + 1,
        resumed: resumed || run?.phase === phase,
        end: null,
      }));
    }
    case 'ended':
      return change(imports, event.id, () => ({ end: event.end }));
    case 'removed':
      return imports.filter(({ id }) => id !== event.id);
  }
}

/** True while an import is running, or waits for its server to come back. */
export function isImporting({ end }: ImportState): boolean {
  return end === null;
}

/** Prefix of every stream of an import. */
export function importPrefix(id: string): string {
  return `knowledge/imports/${id}/`;
}

/** Stream of the files to take in. */
export function filesStreamId(id: string): string {
  return `${importPrefix(id)}files`;
}

/** Stream of the passages that were made of them, in batches. */
export function passagesStreamId(id: string): string {
  return `${importPrefix(id)}passages`;
}

/** Stream that shows the progress of one run. */
export function runStreamId(id: string, run: number): string {
  return `${importPrefix(id)}runs/${run}`;
}

function change(imports: Imports, id: string, update: (state: ImportState) => Partial<ImportState>): Imports {
  return imports.map((state) => (state.id === id ? { ...state, ...update(state) } : state));
}
