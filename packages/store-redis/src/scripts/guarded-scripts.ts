/**
 * Runs scripts so that no loss of data passes unnoticed: each is told how far the stream had come and refuses where the server has less, and
 * a head is handed on only once it can no longer be lost.
 */
import { type StreamHead, StreamNotFoundError } from '@perennial/core';

import type { RedisArgument, RedisReply } from '../clients/port.ts';
import { lengthOf } from '../codec/head.ts';
import type { RedisConnection } from '../connection/redis-connection.ts';
import { RedisDataLossError } from '../errors.ts';
import type { KeyNames } from '../keys.ts';
import type { ResolvedOptions } from '../options.ts';
import { createWatermarks, type Watermark, type Watermarks } from '../watermarks.ts';
import type { RedisScript } from './redis-script.ts';
import type { ScriptAnswer } from './script-answer.ts';
import type { ScriptTarget } from './script-runner.ts';

/** What the scripts of one store work with. */
export interface GuardedScriptsOptions {
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
export class GuardedScripts {
  readonly connection: RedisConnection;
  readonly watermarks: Watermarks = createWatermarks(TRACKED_STREAMS);
  readonly #names: KeyNames;
  readonly #onHead: (head: StreamHead) => void;
  readonly #onLoss: (error: RedisDataLossError) => void;
  readonly #now: (() => number) | undefined;
  /** How long ended streams stay, and how many records are retained, as scripts take them after the time. */
  readonly #kept: string;
  /** Streams whose loss was reported. */
  readonly #reported = new Set<string>();

  constructor({ connection, names, options, onHead, onLoss }: GuardedScriptsOptions) {
    this.connection = connection;
    this.#names = names;
    this.#onHead = onHead;
    this.#onLoss = onLoss;
    this.#now = options.now;
    const keepMs = options.ttl === Infinity ? '' : String(options.ttl);
    this.#kept = `;${keepMs};${options.maxRecords === Infinity ? 0 : options.maxRecords}`;
  }

  /** Runs a script and refuses what every script may refuse. */
  async run(
    script: RedisScript,
    { id, ...kinds }: Omit<ScriptTarget, 'keys'>,
    args: readonly RedisArgument[],
  ): Promise<ScriptAnswer> {
    // Held until the answer is here: it supplies what the script leaves out.
    const mark = this.watermarks.get(id);
    return this.connection.runner.run(
      { script, target: this.target(id, kinds), args: [...this.common(mark), ...args] },
      (reply) => this.accept(id, reply, mark),
    );
  }

  /** Refuses what every script may refuse. */
  accept(id: string, answer: RedisReply, mark: Watermark | undefined): ScriptAnswer {
    const reply = Array.isArray(answer) ? (answer as readonly RedisReply[]) : [answer];
    const status = Number(reply[0]);
    if (status === -1) throw new StreamNotFoundError(id);
    if (status === -9) throw new StreamNotFoundError(id, { retained: true });
    if (status === -2) throw this.#lost(new RedisDataLossError(id, mark?.head.nextPosition ?? 0, Number(reply[1])));
    return { status, reply, known: mark?.head };
  }

  /** Hands a head on once it can no longer be lost: at once, or when the replicas wanted have it. */
  async confirm(head: StreamHead, written = false): Promise<StreamHead> {
    const { barrier } = this.connection;
    if (barrier && (written || !this.watermarks.isReplicated(head))) {
      const args = this.common({ head, length: lengthOf(head) });
      try {
        await barrier.confirm({ target: this.target(head.id), args, head });
      } catch (error) {
        throw error instanceof RedisDataLossError ? this.#lost(error) : error;
      }
    }
    this.note(head);
    return head;
  }

  /** Hands on a head that needs no replicas, or has them. */
  note(head: StreamHead): void {
    this.watermarks.note(head, this.connection.barrier !== null);
    this.#onHead(head);
  }

  /** The same for one that an append left as it was but for its next position. */
  advance(from: StreamHead, to: StreamHead): void {
    this.watermarks.advance(from, to);
    this.#onHead(to);
  }

  /** Arguments 1 to 3 of every script. */
  common(mark: Pick<Watermark, 'head' | 'length'> | undefined): RedisArgument[] {
    return [this.#settings(), mark ? mark.head.incarnation : '', mark ? String(mark.length) : ''];
  }

  target(id: string, kinds: Omit<ScriptTarget, 'id' | 'keys'> = {}): ScriptTarget {
    return { id, keys: this.#names.of(id), ...kinds };
  }

  /** Argument 1 of every script. */
  #settings(): string {
    return this.#now ? this.#now() + this.#kept : this.#kept;
  }

  #lost(error: RedisDataLossError): RedisDataLossError {
    if (!this.#reported.has(error.streamId)) {
      if (this.#reported.size >= TRACKED_STREAMS) this.#reported.clear();
      this.#reported.add(error.streamId);
      this.#onLoss(error);
    }
    return error;
  }
}
