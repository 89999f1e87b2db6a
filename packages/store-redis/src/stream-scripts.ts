/** What a store does with its streams, but for appends: runs a script and turns what it returns into the answer of the store port. */
import {
  type CreateOptions,
  type CreateResult,
  decideExisting,
  isStreamNotFound,
  isStreamRetained,
  type Mark,
  type ProducerState,
  type ReadResult,
  type RemovedStream,
  retainedId,
  StreamError,
  StreamFencedError,
  type StreamHead,
  type StreamIncarnation,
  StreamNotFoundError,
} from '@perennial/core';

import type { RedisArgument } from './clients/port.ts';
import { createArguments, markArguments, type NewStreamArguments } from './codec/arguments.ts';
import { decodeHead, decodeOrigin, decodeProducer } from './codec/head.ts';
import { rangeCommand } from './read/log-range.ts';
import { createPageReader, type PageReader } from './read/page-reader.ts';
import type { PageRequest } from './read/read-coalescer.ts';
import { createScript } from './scripts/generated/create.ts';
import { deleteScript } from './scripts/generated/delete.ts';
import { headScript } from './scripts/generated/head.ts';
import { markScript } from './scripts/generated/mark.ts';
import { pinScript } from './scripts/generated/pin.ts';
import { readScript } from './scripts/generated/read.ts';
import { unpinScript } from './scripts/generated/unpin.ts';
import type { GuardedScripts } from './scripts/guarded-scripts.ts';
import type { ScriptAnswer } from './scripts/script-answer.ts';

/** See the head of this file. */
export class StreamScripts {
  readonly #scripts: GuardedScripts;
  readonly #pages: PageReader;

  constructor(scripts: GuardedScripts) {
    this.#scripts = scripts;
    this.#pages = createPageReader({
      run: (id, args) => scripts.run(readScript, { id }, args),
      range: (id, place, bounds) => {
        const { log } = scripts.target(id).keys;
        return scripts.connection.runner.send(log, rangeCommand(log, place, bounds));
      },
      look: async (id) => (await this.#look(id, true, '')).head,
      confirm: (head) => scripts.confirm(head),
    });
  }

  async create(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<CreateResult> {
    const { status, reply, known } = await this.#create(id, options, fresh);
    const head = await this.#scripts.confirm(decodeHead(id, reply[1], known), true);
    if (status === -5) {
      decideExisting(head, options);
      throw new StreamError('STORE_ERROR', `Stream ${id} changed while it was being created. Try again.`);
    }
    return { created: status === 1, head };
  }

  /** Creates a fork; null when its id is taken, or its source was pinned too long ago. */
  async makeFork(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<StreamHead | null> {
    const { status, reply, known } = await this.#create(id, options, fresh);
    return status === -6 ? null : this.#scripts.confirm(decodeHead(id, reply[1], known), true);
  }

  /** Finds what a creation with these options finds, and raises its token; null when there is nothing. */
  async find(id: string, options: CreateOptions, member: RedisArgument): Promise<StreamHead | null> {
    for (;;) {
      const found = await this.#existing(id);
      if (!found) return null;
      if (decideExisting(found, options) === null) return found;
      const { contentType, ttlMs, expiresAt } = found;
      const same = {
        contentType,
        ...(ttlMs !== null && { ttlMs }),
        ...(expiresAt !== null && { expiresAt }),
        ...(options.token !== undefined && { token: options.token }),
      };
      try {
        return (await this.create(id, same, { incarnation: '', member, only: found.incarnation })).head;
      } catch (error) {
        // It went, or another took its place, since the look.
        if (!isStreamNotFound(error) || error.retained) throw error;
      }
    }
  }

  /** Pins a stream for a fork. */
  async pin(id: string, fork: StreamIncarnation): Promise<{ readonly head: StreamHead; readonly pinnedAt: number }> {
    const { reply, known } = await this.#scripts.run(pinScript, { id, withForks: true }, [fork.incarnation, fork.id]);
    // With its replicas, so that no failover forgets that the fork needs it.
    const head = await this.#scripts.confirm(decodeHead(id, reply[1], known), true);
    return { head, pinnedAt: Number(reply[2]) };
  }

  /** Takes a pin back; returns the stream if that removed it. */
  async unpin(
    { id, incarnation }: StreamIncarnation,
    forkIncarnation: string,
    member: RedisArgument,
  ): Promise<RemovedStream | null> {
    const target = { id, withForks: true, withIndex: !this.#scripts.connection.cluster };
    const { status, reply } = await this.#scripts.run(unpinScript, target, [incarnation, forkIncarnation, member]);
    return status === 1 ? { id, incarnation, fork: decodeOrigin(reply[2]) } : null;
  }

  read(request: PageRequest): Promise<ReadResult> {
    return this.#pages.read(request);
  }

  /** Null when the stream does not exist. `touch`: this is use of the stream, and restarts its ttl. */
  async head(id: string, touch: boolean): Promise<StreamHead | null> {
    try {
      return (await this.#look(id, touch, '')).head;
    } catch (error) {
      if (error instanceof StreamNotFoundError) return null;
      throw error;
    }
  }

  async producer(id: string, producerId: string): Promise<ProducerState | null> {
    return (await this.#look(id, true, producerId)).producer;
  }

  async mark(id: string, mark: Mark): Promise<StreamHead> {
    const { status, reply, known } = await this.#scripts.run(markScript, { id }, markArguments(mark));
    const head = await this.#scripts.confirm(decodeHead(id, reply[1], known), true);
    if (status === -8) throw new StreamFencedError(id, mark.type === 'cancel' ? 0 : (mark.token ?? 0), head.token);
    return head;
  }

  /** Deletes a stream. `kept`: for its forks. Null when there was none. */
  async delete(id: string, member: RedisArgument): Promise<RemovedStream | 'kept' | null> {
    const { connection, watermarks } = this.#scripts;
    const withIndex = !connection.cluster;
    const { barrier } = connection;
    const [status, incarnation, origin] = barrier
      ? await barrier.delete({
          target: this.#scripts.target(id, { withIndex }),
          args: [...this.#scripts.common(watermarks.get(id)), member],
        })
      : (await this.#scripts.run(deleteScript, { id, withIndex }, [member])).reply;
    watermarks.forget(id);
    if (Number(status) === 1) return { id, incarnation: String(incarnation), fork: decodeOrigin(origin) };
    return Number(status) === 2 ? 'kept' : null;
  }

  /** Why there is no stream of this id. */
  async absence(id: string): Promise<StreamNotFoundError> {
    try {
      await this.#look(id, false, '');
    } catch (error) {
      if (isStreamRetained(error)) return error;
    }
    return new StreamNotFoundError(id);
  }

  async #look(
    id: string,
    touch: boolean,
    producerId: string,
  ): Promise<{ readonly head: StreamHead; readonly producer: ProducerState | null }> {
    const { reply, known } = await this.#scripts.run(headScript, { id }, [touch ? '1' : '', producerId]);
    return { head: await this.#scripts.confirm(decodeHead(id, reply[1], known)), producer: decodeProducer(reply[2]) };
  }

  async #create(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<ScriptAnswer> {
    const args = createArguments(options, fresh);
    try {
      return await this.#scripts.run(createScript, { id, withIndex: !this.#scripts.connection.cluster }, args);
    } catch (error) {
      throw isStreamRetained(error) ? retainedId(id) : error;
    }
  }

  /** The stream of an id that a creation would find; looking for it is use. */
  async #existing(id: string): Promise<StreamHead | null> {
    try {
      return (await this.#look(id, true, '')).head;
    } catch (error) {
      if (isStreamRetained(error)) throw retainedId(id);
      if (isStreamNotFound(error)) return null;
      throw error;
    }
  }
}
