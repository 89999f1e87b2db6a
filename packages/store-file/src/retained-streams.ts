/**
 * Streams that were deleted or have expired and whose records forks still read. Their folders lie in a place of their own, so that to
 * everything else they are absent; the move is one rename, so they are always in one place or the other.
 */
import { join } from 'node:path';

import type { ForkPin, OwnPage, RemovedStream, StreamIncarnation } from '@perennial/core';

import { StreamCorruptError } from './file-errors.ts';
import { isMissing, listIfPresent } from './file-system.ts';
import { FollowedStream } from './followed-stream.ts';
import { isPinned, readPins } from './fork-pins.ts';
import { newestLog, retainedFolder, streamPaths } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { readCreation } from './log-loader.ts';
import { type PageRequest, readStoredPage } from './page-reader.ts';
import type { StoreContext } from './store-context.ts';

/** Retained streams kept open for the forks that read them. */
const MAX_OPEN = 32;

/** See the head of this file. */
export class RetainedStreams {
  readonly #context: StoreContext;
  readonly #open = new Map<string, Promise<FollowedStream | null>>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** True when the stream of this id is retained. */
  async has(id: string): Promise<boolean> {
    return newestLog(await this.#names(id)) !== null;
  }

  /** Ids of all retained streams. */
  async ids(): Promise<readonly string[]> {
    const { fs, layout } = this.#context;
    const ids: string[] = [];
    for (const name of await listIfPresent(fs, layout.retained)) {
      const creation = await this.#creation(join(layout.retained, name));
      if (creation) ids.push(creation.id);
    }
    return ids;
  }

  /** The pins of a retained stream; none where there is no such stream. */
  async pins(id: string): Promise<{ readonly incarnation: string; readonly pins: readonly ForkPin[] }> {
    const folder = retainedFolder(this.#context.layout, id);
    const creation = await this.#creation(folder);
    if (!creation) return { incarnation: '', pins: [] };
    return { incarnation: creation.incarnation, pins: await readPins(this.#context.fs, folder) };
  }

  /** True when this incarnation is retained. */
  async holds({ id, incarnation }: StreamIncarnation): Promise<boolean> {
    return (await this.#creation(retainedFolder(this.#context.layout, id)))?.incarnation === incarnation;
  }

  /** A retained stream that no fork reads any more; null for any other. */
  async unused(id: string): Promise<RemovedStream | null> {
    const names = await this.#names(id);
    if (newestLog(names) === null || isPinned(names)) return null;
    return this.#creation(retainedFolder(this.#context.layout, id));
  }

  /** Reads records of a retained stream; null when it is not retained. */
  async read({ id, incarnation }: StreamIncarnation, request: PageRequest): Promise<OwnPage | null> {
    const stream = await this.#stream(id);
    if (!stream) return null;
    const { head } = stream.log.state;
    if (head.incarnation !== incarnation) {
      await this.forget(id);
      return null;
    }
    const records = await readStoredPage(stream, request);
    return { records, fork: head.fork };
  }

  /** Closes the files of a stream that goes. */
  async forget(id: string): Promise<void> {
    const stream = await this.#open.get(id)?.catch(() => null);
    this.#open.delete(id);
    await stream?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.forget(id)));
  }

  async #stream(id: string): Promise<FollowedStream | null> {
    const known = this.#open.get(id);
    if (known) return known;
    const opening = FollowedStream.open(this.#context, { id, folder: retainedFolder(this.#context.layout, id) }).then(
      (opened) => opened?.stream ?? null,
    );
    this.#open.set(id, opening);
    const stream = await opening.catch((error: unknown) => {
      this.#open.delete(id);
      throw error;
    });
    if (!stream) this.#open.delete(id);
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined && oldest !== id) await this.forget(oldest);
    return stream;
  }

  #names(id: string): Promise<readonly string[]> {
    return listIfPresent(this.#context.fs, retainedFolder(this.#context.layout, id));
  }

  async #creation(folder: string): Promise<RemovedStream | null> {
    return readOrigin(this.#context, folder);
  }
}

/** What the log in a folder says of its stream; null when there is none that can be read. */
export async function readOrigin({ fs, handles }: StoreContext, folder: string): Promise<RemovedStream | null> {
  const generation = newestLog(await listIfPresent(fs, folder));
  if (generation === null) return null;
  const files = new LogFiles(fs, handles, streamPaths(folder, generation), false);
  try {
    const { head } = await readCreation((target, at) => files.read(target, at), { id: null, file: files.paths.log });
    return { id: head.id, incarnation: head.incarnation, fork: head.fork };
  } catch (error) {
    if (error instanceof StreamCorruptError || isMissing(error)) return null;
    throw error;
  } finally {
    await files.close();
  }
}
