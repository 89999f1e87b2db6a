import { join } from 'node:path';

import { encodeStreamId } from './stream-name.ts';

/** Where a store keeps what, below its directory. */
export interface StoreLayout {
  /** The directory itself. */
  readonly root: string;
  /** One folder per stream. */
  readonly streams: string;
  /** Streams being made; moved to `streams` when complete. */
  readonly making: string;
  /** Deleted streams that forks read. */
  readonly retained: string;
  /** Deleted streams, until their files are removed. */
  readonly trash: string;
}

/** The layout of a directory. */
export function storeLayout(root: string): StoreLayout {
  const below = (name: string): string => join(root, name);
  return {
    root,
    streams: below('streams'),
    making: below('making'),
    retained: below('retained'),
    trash: below('trash'),
  };
}

/** Files of one stream. Those of one log carry the generation of the owner that made it. */
export interface StreamPaths {
  readonly folder: string;
  readonly log: string;
  /** See `tail-mark.ts`. */
  readonly tail: string;
  /** See `log-snapshot.ts`. */
  readonly index: string;
}

/** The folder of a stream. */
export function streamFolder(layout: StoreLayout, id: string): string {
  return join(layout.streams, encodeStreamId(id));
}

/** The folder of a stream that was deleted and that forks read. */
export function retainedFolder(layout: StoreLayout, id: string): string {
  return join(layout.retained, encodeStreamId(id));
}

/** The files of the log that an owner of this generation made. */
export function streamPaths(folder: string, generation: number): StreamPaths {
  const base = join(folder, String(generation).padStart(10, '0'));
  return { folder, log: `${base}.log`, tail: `${base}.tail`, index: `${base}.index` };
}

/** The cancel request of a stream; any process may make it. */
export const CANCEL_FILE = 'cancel';
/** Its modification time is the last read of a stream with a sliding ttl. */
export const TOUCH_FILE = 'touch';

const LOG_NAME = /^(\d{10})\.log$/;

/** The generation of the newest log among the names in a stream's folder; null when there is none. */
export function newestLog(names: readonly string[]): number | null {
  let newest: number | null = null;
  for (const name of names) {
    const match = LOG_NAME.exec(name);
    if (match) newest = Math.max(newest ?? 0, Number(match[1]));
  }
  return newest;
}
