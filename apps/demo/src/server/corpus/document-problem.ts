import { PublicError } from '@perennial/core';

/** Why a file is not taken in. */
export type DocumentProblemCode =
  | 'NOT_MARKDOWN'
  | 'TOO_LARGE'
  | 'TOO_MANY'
  | 'UNREADABLE'
  | 'OUTSIDE'
  | 'BINARY'
  | 'ENCODING'
  | 'UNPARSABLE'
  | 'EMPTY';

/** A file that cannot be taken in; its message is for the reader. */
export class DocumentProblem extends PublicError {
  declare readonly code: DocumentProblemCode;
  readonly file: string;

  constructor(code: DocumentProblemCode, file: string, why: string, options?: { readonly cause?: unknown }) {
    super(code, `“${file}” ${why}`, options);
    this.file = file;
  }
}
