import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isStreamError, type StreamRecord, type StreamStore } from '@perennial/core';

import { ID } from './helpers.ts';

/** Files of a folder and their bytes, to be put back as they were. */
export async function saveFiles(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(names.map(async (name) => [join(folder, name), await readFile(join(folder, name))] as const)),
  );
}

/** Puts files back. */
export async function restoreFiles(files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, bytes] of files) await writeFile(path, bytes);
}

/** What a reader gets from a stream that may be damaged: records up to the first refusal, and the code of that. */
export async function readWhatCanBeRead(
  store: StreamStore,
  id: string = ID,
): Promise<{ records: StreamRecord[]; code: string | null }> {
  const records: StreamRecord[] = [];
  try {
    for (;;) {
      const page = await store.read(id, { from: records.length, limit: 3 });
      if (page.records.length === 0) return { records, code: null };
      records.push(...page.records);
    }
  } catch (error) {
    if (!isStreamError(error)) throw error;
    return { records, code: error.code };
  }
}
