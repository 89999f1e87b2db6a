import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { isDocumentName, MAX_DOCUMENT_BYTES } from '../../lib/document-name.ts';
import { DocumentProblem, type DocumentProblemCode } from './document-problem.ts';

/** A file that may be a document. */
export interface DocumentFile {
  /** Relative to its folder, with forward slashes. */
  readonly name: string;
  /** Its bytes in base64, where they do not lie on the disk. */
  readonly content?: string;
  /** What is known to be wrong with it. */
  readonly problem?: DocumentProblemCode;
}

/** A file that was read. */
export interface ReadDocument {
  readonly file: string;
  readonly text: string;
}

/** Bytes that are looked at to tell text from other data. */
const SNIFFED_BYTES = 8_192;

const WHY: Readonly<Record<DocumentProblemCode, string>> = {
  NOT_MARKDOWN: 'is not a Markdown file.',
  TOO_LARGE: `is larger than ${MAX_DOCUMENT_BYTES / 1024 / 1024} MB.`,
  TOO_MANY: 'was left out: there are too many files.',
  UNREADABLE: 'cannot be read.',
  OUTSIDE: 'is a link that leads out of the folder.',
  BINARY: 'is not text.',
  ENCODING: 'is not UTF-8 text.',
  UNPARSABLE: 'could not be taken apart.',
  EMPTY: 'has no text in it.',
};

/** The problem of a file, in words. */
export function problemOf(code: DocumentProblemCode, file: string, cause?: unknown): DocumentProblem {
  return new DocumentProblem(code, file, WHY[code], { cause });
}

/**
 * Reads a file as text: UTF-8, or UTF-16 that says so.
 *
 * @param base Folder of files without `content`.
 * @throws {@link DocumentProblem} for a file that is no text, too large, or cannot be read.
 */
export async function readDocument({ name, content, problem }: DocumentFile, base: string): Promise<ReadDocument> {
  if (problem) throw problemOf(problem, name);
  if (!isDocumentName(name)) throw problemOf('NOT_MARKDOWN', name);
  const bytes = content === undefined ? await readBytes(base, name) : Buffer.from(content, 'base64');
  if (bytes.byteLength > MAX_DOCUMENT_BYTES) throw problemOf('TOO_LARGE', name);
  return { file: name, text: decode(name, bytes) };
}

async function readBytes(base: string, name: string): Promise<Uint8Array> {
  try {
    const path = await realpath(join(base, name));
    const root = await realpath(base);
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw problemOf('OUTSIDE', name);
    await using file = await open(path);
    const info = await file.stat();
    if (!info.isFile()) throw problemOf('UNREADABLE', name);
    if (info.size > MAX_DOCUMENT_BYTES) throw problemOf('TOO_LARGE', name);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof DocumentProblem) throw cause;
    throw problemOf('UNREADABLE', name, cause);
  }
}

function decode(name: string, bytes: Uint8Array): string {
  const [first, second] = bytes;
  try {
    if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le', { fatal: true }).decode(bytes);
    if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be', { fatal: true }).decode(bytes);
    if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) throw problemOf('BINARY', name);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof DocumentProblem) throw cause;
    throw problemOf('ENCODING', name, cause);
  }
}
