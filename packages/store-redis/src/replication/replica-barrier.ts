/**
 * Waits until replicas have what the server acknowledged.
 *
 * WAIT counts the replicas that received everything its own connection wrote, and blocks that connection. So it has a connection to
 * itself, and each round first writes a little to every stream concerned: a server sends its writes to replicas in order, hence the round
 * covers the appends that other connections made before. The write also checks that the server, perhaps a promoted one, still has what
 * was acknowledged. Everything that arrives while a round is under way shares the next one.
 */
import { StreamError, type StreamHead, StreamNotFoundError } from '@perennial/core';

import type { RedisArgument, RedisPort, RedisReply } from '../clients/port.ts';
import { isRedirection, RedisDataLossError, RedisReplicationError, toRedisError } from '../errors.ts';
import { deleteScript } from '../scripts/generated/delete.ts';
import { syncScript } from '../scripts/generated/sync.ts';
import { scriptCommand, type ScriptTarget } from '../scripts/script-runner.ts';

/** A stream to be confirmed, with the arguments that every script starts with. */
export interface Confirmation {
  readonly target: ScriptTarget;
  readonly args: readonly RedisArgument[];
  /** What the server acknowledged; it has to be there still. */
  readonly head: StreamHead;
}

/** See the head of this file. */
export interface ReplicaBarrier {
  /** Resolves once `replicas` replicas have the stream as the server had it at the call. */
  confirm(confirmation: Confirmation): Promise<void>;
  /** Runs the delete script and waits for the replicas on the same connection: a deleted stream cannot be written to afterwards. */
  delete(deletion: Omit<Confirmation, 'head'>): Promise<readonly RedisReply[]>;
  close(): Promise<void>;
}

/** Options of {@link createReplicaBarrier}. */
export interface ReplicaBarrierOptions {
  /** Opens the connection of the barrier. */
  readonly open: () => Promise<RedisPort>;
  readonly replicas: number;
  /** How long a round waits for the replicas, in ms. */
  readonly timeoutMs: number;
}

interface Pending extends Confirmation {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How often a round follows the keys to another server of the Cluster. */
const MAX_REDIRECTIONS = 8;

/** Streams whose confirmations share rounds: all of a single server, or in a Cluster those of one stream. */
interface Group {
  pending: Pending[];
  running: boolean;
}

/** Creates a barrier; it connects with the first use. */
export function createReplicaBarrier({ open, replicas, timeoutMs }: ReplicaBarrierOptions): ReplicaBarrier {
  const groups = new Map<string, Group>();
  const wait: readonly RedisArgument[] = ['WAIT', String(replicas), String(timeoutMs)];
  let opening: Promise<RedisPort> | undefined;
  const connected = (): Promise<RedisPort> => (opening ??= open());

  const round = async (port: RedisPort, batch: readonly Pending[], key: string): Promise<void> => {
    try {
      const replies = await batchFollowing(port, key, [
        ...batch.map(({ target, args }) => scriptCommand(['eval', syncScript.source], target, args)),
        wait,
      ]);
      const confirmed = Number(replies.at(-1));
      batch.forEach((pending, index) => {
        const error = failureOf(pending, replies[index]) ?? shortfall(pending.target.id, confirmed, replicas);
        if (error) pending.reject(error);
        else pending.resolve();
      });
    } catch (error) {
      const failure = toRedisError(error, 'waiting for replicas');
      for (const pending of batch) pending.reject(failure);
    }
  };

  const run = async (name: string, group: Group, port: RedisPort): Promise<void> => {
    group.running = true;
    while (group.pending.length > 0) {
      const batch = group.pending;
      group.pending = [];
      await round(port, batch, batch[0]?.target.keys.meta ?? '');
    }
    groups.delete(name);
  };

  return {
    async confirm(confirmation) {
      const port = await connected();
      const name = port.cluster ? confirmation.target.keys.meta : '';
      const group = groups.get(name) ?? { pending: [], running: false };
      groups.set(name, group);
      await new Promise<void>((resolve, reject) => {
        group.pending.push({ ...confirmation, resolve, reject });
        if (!group.running) void run(name, group, port);
      });
    },
    async delete({ target, args }) {
      const port = await connected();
      try {
        const [reply, confirmed] = await batchFollowing(port, target.keys.meta, [
          scriptCommand(['eval', deleteScript.source], target, args),
          wait,
        ]);
        const error = shortfall(target.id, Number(confirmed), replicas);
        if (error) throw error;
        return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
      } catch (error) {
        throw toRedisError(error, `deleting stream ${target.id}`);
      }
    },
    async close() {
      const port = await opening?.catch(() => undefined);
      await port?.close();
    },
  };
}

/** Runs a batch where the keys are. Client libraries follow a redirection for single commands only. */
async function batchFollowing(
  port: RedisPort,
  key: string,
  commands: readonly (readonly RedisArgument[])[],
): Promise<readonly RedisReply[]> {
  for (let redirections = 0; ; redirections++) {
    try {
      return await port.batch(key, commands);
    } catch (error) {
      if (!port.cluster || !isRedirection(error)) throw error;
      if (redirections === MAX_REDIRECTIONS) {
        throw new StreamError('STORE_ERROR', 'The keys of a stream keep moving within the Redis Cluster.', {
          cause: error,
        });
      }
      // Teaches the library where the key is now.
      await port.send(key, ['EXISTS', key]);
    }
  }
}

function failureOf({ target, head }: Confirmation, reply: RedisReply | undefined): Error | null {
  const [status, position] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
  if (Number(status) === -1) return new StreamNotFoundError(target.id);
  if (Number(status) === -9) return new StreamNotFoundError(target.id, { retained: true });
  if (Number(status) === -2) return new RedisDataLossError(target.id, head.nextPosition, Number(position));
  return null;
}

function shortfall(id: string, confirmed: number, replicas: number): Error | null {
  return confirmed < replicas ? new RedisReplicationError(id, confirmed, replicas) : null;
}
