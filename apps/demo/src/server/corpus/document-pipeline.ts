import { StreamingErrorStrategy, StreamingPipeline } from '@perennial/pipeline';

import { DocumentProblem } from './document-problem.ts';
import { type IndexedPassage, tokenise } from './indexed-passage.ts';
import { type CleanDocument, cleanDocument, type Passage, splitDocument } from './passage.ts';
import { type DocumentFile, problemOf, readDocument } from './read-document.ts';

/** Options of {@link documentPipeline}. */
export interface DocumentPipelineOptions {
  /** Folder of the files that bring no content. */
  readonly base: string;
  /** Put before the names of files, so that documents of several places stay apart. @default '' */
  readonly prefix?: string;
}

/** Files being read at the same time. */
const READS = 8;
/** Passages that are stored together. */
const BATCH = 32;

const errorStrategy = StreamingErrorStrategy.SPLIT_ERRORS;

/** Turns files into passages with their terms. What cannot be taken in leaves the pipeline as a {@link DocumentProblem}. */
export function documentPipeline({ base, prefix = '' }: DocumentPipelineOptions) {
  return StreamingPipeline.start<DocumentFile>()
    .map('read', (file) => readDocument(file, base), { parallel: true, concurrencyLimit: READS, errorStrategy })
    .map('clean', ({ file, text }) => guarded(file, () => cleanDocument(`${prefix}${file}`, text)), { errorStrategy })
    .flatMap('split', (document) => split(document, document.file.slice(prefix.length)), { errorStrategy })
    .batch('batch', BATCH)
    .map('tokenise', (passages): readonly IndexedPassage[] => passages.map(tokenise));
}

/** The problems of files that a run set aside, until it is over. */
export async function collectProblems(errors: AsyncIterable<{ readonly cause?: unknown }>): Promise<DocumentProblem[]> {
  const problems: DocumentProblem[] = [];
  for await (const { cause } of errors) if (cause instanceof DocumentProblem) problems.push(cause);
  return problems;
}

function split(document: CleanDocument, file: string): Passage[] {
  const passages = guarded(file, () => splitDocument(document));
  if (passages.length === 0) throw problemOf('EMPTY', file);
  return passages;
}

/** A parser that gives up, on nesting without end for one, has a problem with the file, and the reader wants to know which. */
function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof DocumentProblem ? cause : problemOf('UNPARSABLE', file, cause);
  }
}
