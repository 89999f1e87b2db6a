import { PublicError, type StreamStore } from '@perennial/core';

import type { ImportRequest, UploadRequest } from '../../lib/import-requests.ts';
import { isImporting, type ImportEnd, importPrefix, type ImportState } from '../../lib/knowledge.ts';
import { listHeads } from '../chats/list.ts';
import { logError } from '../log-error.ts';
import { ImportFolder } from './import-folder.ts';
import { discoverFiles, ImportStopped, indexFiles } from './import-run.ts';
import { findImport, noteKnowledge, readKnowledge } from './knowledge-log.ts';
import { summarise, summarisePart } from './summary.ts';
import { sealUpload, storeUpload } from './upload.ts';

/** Options of {@link Importer}. */
export interface ImporterOptions {
  readonly store: StreamStore;
  /** Files that are taken in per second; 0 = as many as can be. @default 0 */
  readonly filesPerSecond?: number;
  /** Folder below which folders may be imported by path; null: none may. */
  readonly importRoot: string | null;
  /** ms since 1970. */
  readonly now?: () => number;
}

interface Running {
  readonly stop: AbortController;
  /** False while others have their turn. */
  begun: boolean;
  /** Never rejects. */
  readonly done: Promise<void>;
}

/** Runs the imports of this server. An import survives it: {@link Importer.resume} goes on with what was interrupted. */
export class Importer {
  readonly #store: StreamStore;
  readonly #filesPerSecond: number;
  readonly #folder: ImportFolder;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  /** Imports take turns: they live on the processor, and each has a stream that pages keep a connection for. */
  #turn: Promise<void> = Promise.resolve();

  constructor({ store, filesPerSecond = 0, importRoot, now = Date.now }: ImporterOptions) {
    this.#store = store;
    this.#filesPerSecond = filesPerSecond;
    this.#folder = new ImportFolder(importRoot);
    this.#now = now;
  }

  /** Keeps files of an import that has not begun. */
  async addFiles(id: string, request: UploadRequest): Promise<void> {
    if (await findImport(this.#store, id))
      throw new PublicError('INVALID_REQUEST', 'This import has begun: it takes no more files.');
    await storeUpload(this.#store, id, request);
  }

  /** Begins an import. Once per id: a repeated request changes nothing. */
  async begin(request: ImportRequest): Promise<void> {
    const { id } = request;
    if (await findImport(this.#store, id)) return;
    const folder = request.from === 'folder' ? await this.#folder.check(request.path) : null;
    if (request.from === 'upload') await sealUpload(this.#store, id, request.files);
    const label = folder === null && request.from === 'upload' ? request.label : this.#folder.labelOf(folder ?? '');
    await noteKnowledge(this.#store, { type: 'added', id, label, folder, at: this.#now() });
    await this.#start(id);
  }

  /** Goes on with an import that was stopped or failed. */
  async continue(id: string): Promise<void> {
    const { end } = await this.#find(id);
    if (end === null || end.outcome === 'completed') return;
    // Its last run may still be on its way out.
    await this.settled(id);
    await this.#start(id);
  }

  /** Removes an import and what came of it. One that does not exist counts as removed. */
  async remove(id: string): Promise<void> {
    const running = this.#running.get(id);
    running?.stop.abort();
    // One that waits for its turn will find that there is nothing to do.
    if (running?.begun) await running.done;
    if (await findImport(this.#store, id)) await noteKnowledge(this.#store, { type: 'removed', id });
    for (const head of await listHeads(this.#store, importPrefix(id))) await this.#store.delete(head.id);
  }

  /** Goes on with every import that the last server did not finish. */
  async resume(): Promise<void> {
    const knowledge = await readKnowledge(this.#store);
    for (const state of knowledge?.imports ?? []) if (isImporting(state)) await this.#start(state.id);
  }

  /** Resolves once an import that runs here is over. */
  async settled(id: string): Promise<void> {
    await this.#running.get(id)?.done;
  }

  async #find(id: string): Promise<ImportState> {
    const state = await findImport(this.#store, id);
    if (!state) throw new PublicError('NOT_FOUND', 'This import does not exist any more.');
    return state;
  }

  async #start(id: string): Promise<void> {
    const state = await this.#find(id);
    // No wait between this look and the entry below: two requests would start two runs, of which the second fences the first.
    if (this.#running.has(id)) return;
    const stop = new AbortController();
    const turn = this.#turn;
    const running: Running = { stop, begun: false, done: this.#runInTurn(state, turn, () => running) };
    this.#running.set(id, running);
    this.#turn = running.done;
  }

  async #runInTurn(state: ImportState, turn: Promise<void>, entry: () => Running): Promise<void> {
    await turn;
    const running = entry();
    if (!running.stop.signal.aborted) {
      running.begun = true;
      await this.#run(state, running.stop.signal);
    }
    this.#running.delete(state.id);
  }

  /** Never rejects: how it went is noted. */
  async #run(state: ImportState, signal: AbortSignal): Promise<void> {
    try {
      const end = await this.#work(state, signal);
      // The runs so far name the occasion: an import that goes on may end again.
      const { runs } = await this.#find(state.id);
      if (!signal.aborted) await noteKnowledge(this.#store, { type: 'ended', id: state.id, end }, runs);
    } catch (error) {
      logError(`The import ${state.id} could not be finished`, error);
    }
  }

  async #work(state: ImportState, signal: AbortSignal): Promise<ImportEnd> {
    try {
      const base = await this.#folder.baseOf(state.folder);
      const options = { store: this.#store, base, signal, filesPerSecond: this.#filesPerSecond };
      if (state.folder !== null) await discoverFiles(state, options);
      await indexFiles(state, options);
      return { outcome: 'completed', problem: null, ...(await summarise(this.#store, state, base)) };
    } catch (error) {
      const part = await summarisePart(this.#store, state);
      if (error instanceof ImportStopped || signal.aborted) return { outcome: 'cancelled', problem: null, ...part };
      logError(`The import ${state.id} failed`, error);
      const problem = error instanceof PublicError ? error.message : 'The server could not do this. Its log says why.';
      return { outcome: 'failed', problem, ...part };
    }
  }
}
