import { stat } from 'node:fs/promises';

import { PublicError } from '@perennial/core';

import type { DemoConfig } from './config.ts';

/**
 * Resolves if the folder of the documents is there; an empty one will do.
 *
 * @throws `PublicError` `DOCUMENTS_GONE` naming the folder as readers know it.
 */
export async function checkDocuments({
  documents,
  documentsLabel,
}: Pick<DemoConfig, 'documents' | 'documentsLabel'>): Promise<void> {
  const found = await stat(documents.base).catch(() => null);
  if (found?.isDirectory()) return;
  throw new PublicError(
    'DOCUMENTS_GONE',
    `The folder of the documents (${documentsLabel}) cannot be found any more. Put it back and try again.`,
  );
}
