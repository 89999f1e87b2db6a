/** Runs the scripts of one store and turns what they return into the answers of the store port. */
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

import { appended, usuallyAppended } from './append/append-answer.ts';
import type { BatchAnswer, BatchOutcome } from './append/append-batcher.ts';
import { usualAppend, type UsualAppend } from './append/usual-append.ts';
import type { RedisArgument, RedisReply } from './clients/port.ts';
import { type EncodedRequest, joinRequests } from './codec/append.ts';
import { createArguments, markArguments, type NewStreamArguments } from './codec/arguments.ts';
import { decodeHead, decodeOrigin, decodeProducer, lengthOf } from './codec/head.ts';
import type { RedisConnection } from './connection/redis-connection.ts';
import { RedisDataLossError } from './errors.ts';
import type { KeyNames } from './keys.ts';
import type { ResolvedOptions } from './options.ts';
import { rangeCommand } from './read/log-range.ts';
import { createPageReader, type PageReader } from './read/page-reader.ts';
import type { PageRequest } from './read/read-coalescer.ts';
import { appendScript } from './scripts/generated/append.ts';
import { createScript } from './scripts/generated/create.ts';
import { deleteScript } from './scripts/generated/delete.ts';
import { headScript } from './scripts/generated/head.ts';
import { markScript } from './scripts/generated/mark.ts';
import { pinScript } from './scripts/generated/pin.ts';
import { readScript } from './scripts/generated/read.ts';
import { unpinScript } from './scripts/generated/unpin.ts';
import type { RedisScript } from './scripts/redis-script.ts';
import type { ScriptAnswer } from './scripts/script-answer.ts';
import type { ScriptTarget } from './scripts/script-runner.ts';
import { createWatermarks, type Watermark, type Watermarks } from './watermarks.ts';

/** What the scripts work with. */
export interface StreamScriptsOptions {
  readonly connection: RedisConnection;
  readonly names: KeyNames;
  readonly options: ResolvedOptions;
  /** Is told of every head that the server, and the replicas where they are waited for, confirmed. */
  readonly onHead: (head: StreamHead) => void;
  /** Is told once per stream. */
  readonly onLoss: (error: RedisDataLossError) => void;
}

/** The streams whose progress is remembered, to notice when the server loses some of it. */
const TRACKED_STREAMS = 10_000;

/** See the head of this file. */
export class StreamScripts {
  readonly #connection: RedisConnection;
  readonly #names: KeyNames;
  readonly #onHead: (head: StreamHead) => void;
  readonly #onLoss: (error: RedisDataLossError) => void;
  readonly #now: (() => number) | undefined;
  /** How long ended streams stay, and how many records are retained, as scripts take them after the time. */
  readonly #kept: string;
  readonly #trims: boolean;
  readonly #watermarks: Watermarks = createWatermarks(TRACKED_STREAMS);
  readonly #pages: PageReader;
  /** Streams whose loss was reported. */
  readonly #reported = new Set<string>();

  constructor({ connection, names, options, onHead, onLoss }: StreamScriptsOptions) {
    this.#connection = connection;
    this.#names = names;
    this.#onHead = onHead;
    this.#onLoss = onLoss;
    this.#now = options.now;
    this.#trims = options.maxRecords !== Infinity;
    const keepMs = options.ttl === Infinity ? '' : String(options.ttl);
    this.#kept = `;${keepMs};${this.#trims ? options.maxRecords : 0}`;
    this.#pages = createPageReader({
      run: (id, args) => this.#run(readScript, { id }, args),
      range: (id, place, bounds) => {
        const { log } = this.#names.of(id);
        return this.#connection.runner.send(log, rangeCommand(log, place, bounds));
      },
      look: async (id) => (await this.#look(id, true, '')).head,
      confirm: (head) => this.#confirm(head),
    });
  }

  async create(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<CreateResult> {
    const { status, reply, known } = await this.#create(id, options, fresh);
    const head = await this.#confirm(decodeHead(id, reply[1], known), true);
    if (status === -5) {
      decideExisting(head, options);
      throw new StreamError('STORE_ERROR', `Stream ${id} changed while it was being created. Try again.`);
    }
    return { created: status === 1, head };
  }

  /** Creates a fork; null when its id is taken, or its source was pinned too long ago. */
  async makeFork(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<StreamHead | null> {
    const { status, reply, known } = await this.#create(id, options, fresh);
    return status === -6 ? null : this.#confirm(decodeHead(id, reply[1], known), true);
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
    const { reply, known } = await this.#run(pinScript, { id, withForks: true }, [fork.incarnation, fork.id]);
    // With its replicas, so that no failover forgets that the fork needs it.
    const head = await this.#confirm(decodeHead(id, reply[1], known), true);
    return { head, pinnedAt: Number(reply[2]) };
  }

  /** Takes a pin back; returns the stream if that removed it. */
  async unpin(
    { id, incarnation }: StreamIncarnation,
    forkIncarnation: string,
    member: RedisArgument,
  ): Promise<RemovedStream | null> {
    const target = { id, withForks: true, withIndex: !this.#connection.cluster };
    const { status, reply } = await this.#run(unpinScript, target, [incarnation, forkIncarnation, member]);
    return status === 1 ? { id, incarnation, fork: decodeOrigin(reply[2]) } : null;
  }

  append(id: string, requests: readonly EncodedRequest[], outcome: BatchOutcome): void {
    const { barrier } = this.#connection;
    const told = barrier ? this.#confirmed(outcome) : outcome;
    const mark = this.#watermarks.get(id);
    const usual = mark && !this.#trims ? usualAppend(requests, mark, this.#now?.()) : null;
    if (usual) this.#appendAsUsual(id, requests, usual, told);
    else this.#appendAnyhow(id, requests, told);
  }

  /** One command, and a second where the usual way is not open. */
  #appendAsUsual(
    id: string,
    requests: readonly EncodedRequest[],
    { script, args, known }: UsualAppend,
    outcome: BatchOutcome,
  ): void {
    this.#connection.runner.start(
      { script, target: this.#target(id), args },
      {
        accept: (reply) => {
          let answer: BatchAnswer;
          try {
            if (reply === null) {
              this.#appendAnyhow(id, requests, outcome);
              return;
            }
            answer = usuallyAppended(requests, known, Number(reply));
            if (!this.#connection.barrier) this.#advance(known, answer.head);
          } catch (error) {
            outcome.failed(error);
            return;
          }
          outcome.answered(answer);
        },
        reject: outcome.failed,
      },
    );
  }

  #appendAnyhow(id: string, requests: readonly EncodedRequest[], outcome: BatchOutcome): void {
    const mark = this.#watermarks.get(id);
    const args = this.#common(mark);
    joinRequests(requests, args);
    this.#connection.runner
      .run({ script: appendScript, target: this.#target(id), args }, (reply) => {
        const script = this.#accept(id, reply, mark);
        const answer = appended(id, requests, script);
        if (!this.#connection.barrier) this.#note(answer.head);
        this.#watermarks.noteCounter(answer.head, script.status === 1);
        return answer;
      })
      .then(outcome.answered, outcome.failed);
  }

  /** Tells of an answer when the replicas have what was written. */
  #confirmed({ answered, failed }: BatchOutcome): BatchOutcome {
    return {
      answered: (answer) => {
        this.#confirm(answer.head, true).then(() => answered(answer), failed);
      },
      failed,
    };
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
    const { status, reply, known } = await this.#run(markScript, { id }, markArguments(mark));
    const head = await this.#confirm(decodeHead(id, reply[1], known), true);
    if (status === -8) throw new StreamFencedError(id, mark.type === 'cancel' ? 0 : (mark.token ?? 0), head.token);
    return head;
  }

  /** Deletes a stream. `kept`: for its forks. Null when there was none. */
  async delete(id: string, member: RedisArgument): Promise<RemovedStream | 'kept' | null> {
    const withIndex = !this.#connection.cluster;
    const { barrier } = this.#connection;
    const [status, incarnation, origin] = barrier
      ? await barrier.delete({
          target: this.#target(id, { withIndex }),
          args: [...this.#common(this.#watermarks.get(id)), member],
        })
      : (await this.#run(deleteScript, { id, withIndex }, [member])).reply;
    this.#watermarks.forget(id);
    if (Number(status) === 1) return { id, incarnation: String(incarnation), fork: decodeOrigin(origin) };
    return Number(status) === 2 ? 'kept' : null;
  }

  async #look(
    id: string,
    touch: boolean,
    producerId: string,
  ): Promise<{ readonly head: StreamHead; readonly producer: ProducerState | null }> {
    const { reply, known } = await this.#run(headScript, { id }, [touch ? '1' : '', producerId]);
    return { head: await this.#confirm(decodeHead(id, reply[1], known)), producer: decodeProducer(reply[2]) };
  }

  async #create(id: string, options: CreateOptions, fresh: NewStreamArguments): Promise<ScriptAnswer> {
    const args = createArguments(options, fresh);
    try {
      return await this.#run(createScript, { id, withIndex: !this.#connection.cluster }, args);
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

  /** Runs a script and refuses what every script may refuse. */
  async #run(
    script: RedisScript,
    { id, ...kinds }: Omit<ScriptTarget, 'keys'>,
    args: readonly RedisArgument[],
  ): Promise<ScriptAnswer> {
    // Held until the answer is here: it supplies what the script leaves out.
    const mark = this.#watermarks.get(id);
    return this.#connection.runner.run(
      { script, target: this.#target(id, kinds), args: [...this.#common(mark), ...args] },
      (reply) => this.#accept(id, reply, mark),
    );
  }

  /** Refuses what every script may refuse. */
  #accept(id: string, answer: RedisReply, mark: Watermark | undefined): ScriptAnswer {
    const reply = Array.isArray(answer) ? (answer as readonly RedisReply[]) : [answer];
    const status = Number(reply[0]);
    if (status === -1) throw new StreamNotFoundError(id);
    if (status === -9) throw new StreamNotFoundError(id, { retained: true });
    if (status === -2) throw this.#lost(new RedisDataLossError(id, mark?.head.nextPosition ?? 0, Number(reply[1])));
    return { status, reply, known: mark?.head };
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

  /** Hands a head on once it cannot be lost any more: at once, or when the replicas wanted have it. */
  async #confirm(head: StreamHead, written = false): Promise<StreamHead> {
    const { barrier } = this.#connection;
    if (barrier && (written || !this.#watermarks.isReplicated(head))) {
      const args = this.#common({ head, length: lengthOf(head) });
      try {
        await barrier.confirm({ target: this.#target(head.id), args, head });
      } catch (error) {
        throw error instanceof RedisDataLossError ? this.#lost(error) : error;
      }
    }
    this.#note(head);
    return head;
  }

  #note(head: StreamHead): void {
    this.#watermarks.note(head, this.#connection.barrier !== null);
    this.#onHead(head);
  }

  #advance(from: StreamHead, to: StreamHead): void {
    this.#watermarks.advance(from, to);
    this.#onHead(to);
  }

  #lost(error: RedisDataLossError): RedisDataLossError {
    if (!this.#reported.has(error.streamId)) {
      if (this.#reported.size >= TRACKED_STREAMS) this.#reported.clear();
      this.#reported.add(error.streamId);
      this.#onLoss(error);
    }
    return error;
  }

  /** Arguments 1 to 3 of every script. */
  #common(mark: Pick<Watermark, 'head' | 'length'> | undefined): RedisArgument[] {
    return [this.#settings(), mark ? mark.head.incarnation : '', mark ? String(mark.length) : ''];
  }

  /** Argument 1 of every script. */
  #settings(): string {
    return this.#now ? this.#now() + this.#kept : this.#kept;
  }

  #target(id: string, kinds: Omit<ScriptTarget, 'id' | 'keys'> = {}): ScriptTarget {
    return { id, keys: this.#names.of(id), ...kinds };
  }
}
