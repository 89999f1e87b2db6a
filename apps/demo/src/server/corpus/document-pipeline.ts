import { StreamingErrorStrategy, StreamingPipeline } from '@perennial/pipeline';

import { takeBreaths, takeTurns } from './breath.ts';
import { DocumentProblem } from './document-problem.ts';
import { type IndexedPassage, tokenise } from './indexed-passage.ts';
import { parseInPieces } from './parse-pieces.ts';
import { type CleanDocument, cleanDocument, type Passage, splitDocument } from './passage.ts';
import { type DocumentFile, problemOf, type ReadDocument, readDocument } from './read-document.ts';

/** Options of {@link documentPipeline}. */
export interface DocumentPipelineOptions {
  /** Folder of the files that bring no content. */
  readonly base: string;
  /** Put before the names of files, so that documents of several places stay apart. @default '' */
  readonly prefix?: string;
  /** Files that are read per second; 0 = as many as can be. @default 0 */
  readonly filesPerSecond?: number;
}

/** Files being read at the same time. */
const READS = 8;
/** Passages that are stored together. */
const BATCH = 32;

const errorStrategy = StreamingErrorStrategy.SPLIT_ERRORS;

/** Turns files into passages with their terms. What cannot be taken in leaves the pipeline as a {@link DocumentProblem}. */
export function documentPipeline({ base, prefix = '', filesPerSecond = 0 }: DocumentPipelineOptions) {
  const turn = takeTurns(filesPerSecond);
  const breathe = takeBreaths();
  const read = async (file: DocumentFile): Promise<ReadDocument> => {
    await turn();
    return readDocument(file, base);
  };
  const clean = ({ file, text }: ReadDocument): Promise<CleanDocument> =>
    guarded(file, async () => cleanDocument(`${prefix}${file}`, await parseInPieces(text, breathe)));
  const split = (document: CleanDocument): AsyncGenerator<Passage> =>
    splitSlowly(document, document.file.slice(prefix.length), breathe);
  return StreamingPipeline.start<DocumentFile>()
    .map('read', read, { parallel: true, concurrencyLimit: READS, errorStrategy })
    .map('clean', clean, { errorStrategy })
    .flatMap('split', split, { errorStrategy })
    .batch('batch', BATCH)
    .map('tokenise', (passages): readonly IndexedPassage[] => passages.map(tokenise));
}

/** The problems of files that a run set aside, until it is over. */
export async function collectProblems(errors: AsyncIterable<{ readonly cause?: unknown }>): Promise<DocumentProblem[]> {
  const problems: DocumentProblem[] = [];
  for await (const { cause } of errors) if (cause instanceof DocumentProblem) problems.push(cause);
  return problems;
}

async function* splitSlowly(
  document: CleanDocument,
  file: string,
  breathe: () => Promise<void>,
): AsyncGenerator<Passage, void> {
  const passages = splitDocument(document);
  let count = 0;
  for (;;) {
    const { done, value } = await guarded(file, async () => passages.next());
    if (done) break;
    count++;
    yield value;
    await breathe();
  }
  if (count === 0) throw problemOf('EMPTY', file);
}

/** A parser that gives up, on nesting without end for one, has a problem with the file, and the reader wants to know which. */
async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof DocumentProblem ? cause : problemOf('UNPARSABLE', file, cause);
  }
}
