/**
 * Forks over the streams of one store (PROTOCOL.md, "Forks"), for every store alike.
 *
 * A store changes one stream at a time, which is all that one with streams in several places can do. Creating a fork therefore goes: pin
 * the source, create the fork, and take the pin back if that was refused. Deleting one goes: delete the fork, take its pin from the source,
 * delete the source if it was only retained for this fork, and so on up. Wherever a crash stops this, at most a pin without a fork is left.
 * Pins are therefore only hints: before a retained stream is given up or kept for long, {@link Forks.collect} asks whether the forks exist.
 */
import { isStreamError, quote, StreamError, StreamExistsError } from './errors.ts';
import { cutRecord, decideFork, forkedOptions, type ForkPoint } from './fork-rules.ts';
import type { ForkOrigin, StreamHead } from './head.ts';
import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_LIMIT } from './page-options.ts';
import { recordSize, type StreamRecord } from './record.ts';
import type { CreateOptions, CreateResult, ForkOptions, ReadOptions, ReadResult } from './store.ts';

/** How long after its pin a fork may still be created, in ms. */
export const FORK_CREATION_MS = 30_000;

/**
 * Age in ms below which a pin counts as one of a fork that is being created. Twice {@link FORK_CREATION_MS}, because the clocks of two
 * servers may differ.
 */
export const FORK_PIN_GRACE_MS = 60_000;

/** One incarnation of a stream. */
export interface StreamIncarnation {
  readonly id: string;
  readonly incarnation: string;
}

/** A note on a source that a fork reads its records. */
export interface ForkPin extends StreamIncarnation {
  /** When it was made, in ms since the Unix epoch, by the clock of the source's server. */
  readonly pinnedAt: number;
}

/** A stream that was removed for good. */
export interface RemovedStream extends StreamIncarnation {
  /** Where it came from: its own pin is to be taken back. */
  readonly fork: ForkOrigin | null;
}

/** A fork that is ready to be created. */
export interface NewFork extends ForkPoint {
  readonly incarnation: string;
  /** By the clock of the fork's server, the creation must not happen after this; null = no limit. */
  readonly deadline: number | null;
}

/** Records of a stream itself, and where it came from. */
export interface OwnPage {
  readonly records: readonly StreamRecord[];
  readonly fork: ForkOrigin | null;
}

/** What a store does of one stream, atomically each, so that {@link createForks} can do the rest. */
export interface ForkPort {
  /** A fresh unguessable string. */
  newIncarnation(): string;
  /** Finds what a creation would find, with the token raised; null when the id is free. Throws what `decideExisting` throws. */
  find(id: string, options: CreateOptions): Promise<StreamHead | null>;
  /** Creates a fork; null when the id has been taken meanwhile, or the deadline has passed. */
  make(id: string, options: CreateOptions, fork: NewFork): Promise<StreamHead | null>;
  /** Pins a living stream. Does not count as use. @throws `NOT_FOUND` */
  pin(id: string, fork: StreamIncarnation): Promise<{ readonly head: StreamHead; readonly pinnedAt: number }>;
  /** Takes a pin back. Removes the source if it is retained and this was the last pin, and then returns it. */
  unpin(source: StreamIncarnation, forkIncarnation: string): Promise<RemovedStream | null>;
  /** Pins of a stream that is kept for them alone; some of them where they are many. Empty for any other stream. */
  pins(id: string): Promise<{ readonly incarnation: string; readonly pins: readonly ForkPin[]; readonly now: number }>;
  /** True when the stream is there, living, expired or retained. */
  has(stream: StreamIncarnation): Promise<boolean>;
  /**
   * Reads a stream's own records whether it lives or is retained, without counting as use. `records` is empty where `from` lies before them.
   *
   * @returns Null when there is no such stream.
   */
  readOwn(stream: StreamIncarnation, page: Required<ReadOptions>): Promise<OwnPage | null>;
}

/** The fork side of a store. */
export interface Forks {
  /** {@link StreamStore.create} with `fork`. */
  create(id: string, options: CreateOptions & { readonly fork: ForkOptions }): Promise<CreateResult>;
  /**
   * Completes a page that begins before the stream's own records.
   *
   * @param own The page as the store read it: without records, if it begins there.
   */
  read(own: ReadResult, options: ReadOptions): ReadResult | Promise<ReadResult>;
  /** Takes the pin of a removed fork back, and removes what was retained for it alone. */
  release(removed: RemovedStream): Promise<void>;
  /** Looks whether the forks that a retained stream is kept for still exist, and removes it if none does. */
  collect(id: string): Promise<void>;
}

/** Origins remembered, by incarnation; they never change. */
const REMEMBERED_ORIGINS = 10_000;

/** Creates the fork side of a store. See the head of this file. */
export function createForks(port: ForkPort): Forks {
  const ancestry = createAncestry(port);

  async function release(removed: RemovedStream): Promise<void> {
    for (let next: RemovedStream | null = removed; next?.fork;) {
      const { from, incarnation } = next.fork;
      next = await port.unpin({ id: from, incarnation }, next.incarnation);
    }
  }

  async function unpin(source: StreamIncarnation, forkIncarnation: string): Promise<void> {
    const removed = await port.unpin(source, forkIncarnation);
    if (removed) await release(removed);
  }

  async function make(
    fork: StreamIncarnation,
    options: CreateOptions & { readonly fork: ForkOptions },
    { head: source, pinnedAt }: { readonly head: StreamHead; readonly pinnedAt: number },
  ): Promise<StreamHead | null> {
    const point = decideFork(source, options);
    const { origin } = point;
    const create = forkedOptions(source, options);
    const records = origin.bytes > 0 ? [cutRecord(await ancestry.recordAt(origin), origin)] : [];
    return port.make(
      fork.id,
      records.length > 0 ? { ...create, records: [...records, ...(create.records ?? [])] } : create,
      { ...point, incarnation: fork.incarnation, deadline: pinnedAt + FORK_CREATION_MS },
    );
  }

  return {
    release,

    async create(id, options) {
      const found = await port.find(id, options);
      if (found) return { created: false, head: found };
      const fork = { id, incarnation: port.newIncarnation() };
      const pinned = await port.pin(options.fork.from, fork);
      const source = { id: pinned.head.id, incarnation: pinned.head.incarnation };
      let head: StreamHead | null;
      try {
        head = await make(fork, options, pinned);
      } catch (error) {
        // What failed halfway may have created it; then the pin has to stay.
        if (!isUncertain(error)) await unpin(source, fork.incarnation);
        throw error;
      }
      if (head) return { created: true, head };
      await unpin(source, fork.incarnation);
      const other = await port.find(id, options);
      if (other) return { created: false, head: other };
      throw new StreamError('STORE_ERROR', `Stream ${quote(id)} changed while it was being created. Try again.`);
    },

    read(own, options) {
      const { fork } = own.head;
      return fork && options.from < fork.position ? ancestry.complete(own, fork, options) : own;
    },

    async collect(id) {
      const { incarnation, pins, now } = await port.pins(id);
      // Pins that went without the stream that was kept for them: only a crash can do that, where the two are not one step.
      if (pins.length === 0 && incarnation !== '') await unpin({ id, incarnation }, '');
      for (const pin of pins) {
        if (now - pin.pinnedAt < FORK_PIN_GRACE_MS || (await port.has(pin))) continue;
        await unpin({ id, incarnation }, pin.incarnation);
      }
    },
  };
}

interface Ancestry {
  complete(own: ReadResult, fork: ForkOrigin, options: ReadOptions): Promise<ReadResult>;
  /** The record of the source at the fork position. */
  recordAt(origin: ForkOrigin): Promise<StreamRecord | undefined>;
}

/** Reads the records that a fork has of its source, which may be a fork itself. */
function createAncestry(port: ForkPort): Ancestry {
  const origins = new Map<string, ForkOrigin | null>();

  function remember(incarnation: string, origin: ForkOrigin | null): void {
    if (origins.size >= REMEMBERED_ORIGINS) origins.clear();
    origins.set(incarnation, origin);
  }

  /** Reads records below `fork.position` from whichever ancestor holds the first of them. */
  async function inherited(fork: ForkOrigin, page: Required<ReadOptions>): Promise<readonly StreamRecord[]> {
    let at = fork;
    let until = fork.position;
    for (;;) {
      const known = origins.get(at.incarnation);
      if (!known || page.from >= known.position) {
        const limit = Math.min(page.limit, until - page.from);
        const own = await port.readOwn({ id: at.from, incarnation: at.incarnation }, { ...page, limit });
        if (!own) throw missingSource(at);
        remember(at.incarnation, own.fork);
        if (!own.fork || page.from >= own.fork.position) {
          if (own.records.length === 0) throw missingSource(at);
          return own.records;
        }
      }
      const up = origins.get(at.incarnation);
      if (!up) throw missingSource(at);
      at = up;
      until = Math.min(until, up.position);
    }
  }

  return {
    async complete(own, fork, { from, limit = DEFAULT_PAGE_LIMIT, maxBytes = DEFAULT_PAGE_BYTES }) {
      const records: StreamRecord[] = [];
      let bytes = 0;
      while (records.length < limit && bytes < maxBytes) {
        const position = from + records.length;
        const page = { from: position, limit: limit - records.length, maxBytes: maxBytes - bytes };
        const stream = { id: own.head.id, incarnation: own.head.incarnation };
        const isInherited = position < fork.position;
        if (!isInherited && position >= own.head.nextPosition) break;
        const piece = isInherited ? await inherited(fork, page) : (await port.readOwn(stream, page))?.records;
        // Deleted since the page was begun: what was read of it stands.
        if (!piece || piece.length === 0) break;
        for (const record of piece.slice(0, own.head.nextPosition - position)) {
          records.push(record);
          bytes += recordSize(record);
        }
      }
      return { records, head: own.head };
    },
    async recordAt(origin) {
      const page = { from: origin.position, limit: 1, maxBytes: 1 };
      const beyond = { ...origin, position: origin.position + 1 };
      return (await inherited(beyond, page).catch(ignoreMissing))?.[0];
    },
  };
}

/** A store that failed does not know what it has done; a refusal has changed nothing. */
function isUncertain(error: unknown): boolean {
  return !isStreamError(error) || error.code === 'STORE_ERROR' || error.code === 'STORE_CLOSED';
}

function missingSource({ from }: ForkOrigin): StreamError<'CORRUPT'> {
  return new StreamError(
    'CORRUPT',
    `Records that a fork has of stream ${quote(from)} are missing. The store lost them, or something else removed them.`,
  );
}

function ignoreMissing(error: unknown): undefined {
  if (isStreamError(error) && error.code === 'CORRUPT') return undefined;
  throw error;
}

/** The refusal of a creation where a stream is that was deleted and is kept for its forks. */
export function retainedId(id: string): StreamExistsError {
  return new StreamExistsError(id, 'it was deleted or has expired, and is kept because forks still read its records');
}
