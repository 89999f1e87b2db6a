import { createForks, type ForkPin, type ForkPort, type Forks, isStreamNotFound } from '@perennial/core';

import type { RedisArgument, RedisReply } from './clients/port.ts';
import type { KeyNames } from './keys.ts';
import type { StreamIndex } from './listing/stream-index.ts';
import type { StreamScripts } from './stream-scripts.ts';

/** What {@link createRedisForks} needs from the store. */
export interface RedisForksOptions {
  readonly scripts: StreamScripts;
  readonly index: StreamIndex;
  readonly names: KeyNames;
  readonly send: (key: string, command: readonly RedisArgument[]) => Promise<RedisReply>;
  /** True when the index lies on other servers than the streams. */
  readonly isCluster: () => boolean;
  readonly newIncarnation: () => string;
  /** Milliseconds since the Unix epoch; absent = the server's time. */
  readonly now: (() => number) | undefined;
  /** Repeats a call that changes nothing while the server is away. */
  readonly again: <T>(doing: string, call: () => Promise<T>) => Promise<T>;
}

/** Pins looked at per collection; the rest comes with the next. */
const PIN_SAMPLE = 64;

/** The forks of a Redis. Source and fork lie in different slots of a Cluster, so each step is a script of its own. */
export function createRedisForks(options: RedisForksOptions): Forks {
  const { scripts, index, names, send, isCluster, newIncarnation, again } = options;

  async function timeOf(key: string): Promise<number> {
    if (options.now) return options.now();
    const [seconds] = listOf(await send(key, ['TIME']));
    return Number(seconds) * 1_000;
  }

  /** True for a stream that is there for its forks only: deleted, expired, or ended so long ago that it would have been removed. */
  async function isKept(id: string, now: number): Promise<boolean> {
    const { meta } = names.of(id);
    // Retires it if it has expired.
    await scripts.head(id, false);
    const [state, removal] = listOf(await send(meta, ['HMGET', meta, 'x', 'rx']));
    const text = state === null || state === undefined ? '' : String(state);
    return text.endsWith(';1') || (removal !== null && removal !== undefined && Number(removal) <= now);
  }

  const port: ForkPort = {
    newIncarnation,
    find: (id, create) => scripts.find(id, create, index.member(id)),
    async make(id, create, fork) {
      // Before and after, as with every creation.
      if (isCluster()) await index.add(id);
      const head = await scripts.makeFork(id, create, {
        incarnation: fork.incarnation,
        member: index.member(id),
        fork,
      });
      if (isCluster()) await index.add(id);
      return head;
    },
    pin: (id, fork) => scripts.pin(id, fork),
    async unpin(source, forkIncarnation) {
      const removed = await scripts.unpin(source, forkIncarnation, index.member(source.id));
      if (removed && isCluster()) await index.remove(source.id);
      return removed;
    },
    async pins(id) {
      const { meta, forks } = names.of(id);
      const now = await timeOf(meta);
      if (!(await isKept(id, now))) return { incarnation: '', pins: [], now };
      const incarnation = await send(meta, ['HGET', meta, 'i']);
      const fields = listOf(await send(forks, ['HRANDFIELD', forks, String(PIN_SAMPLE), 'WITHVALUES'])).flat();
      return { incarnation: incarnation === null ? '' : String(incarnation), pins: decodePins(fields), now };
    },
    async has({ id, incarnation }) {
      const { meta } = names.of(id);
      return String(await send(meta, ['HGET', meta, 'i'])) === incarnation;
    },
    async readOwn({ id, incarnation }, page) {
      try {
        const { records, head } = await again(`reading stream ${id}`, () =>
          scripts.read({ id, ...page, forFork: incarnation }),
        );
        return { records, fork: head.fork };
      } catch (error) {
        if (isStreamNotFound(error)) return null;
        throw error;
      }
    },
  };
  return createForks(port);
}

/** Incarnation, and time and id, alternating. */
function decodePins(fields: readonly RedisReply[]): readonly ForkPin[] {
  const pins: ForkPin[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const value = String(fields[at + 1]);
    const separator = value.indexOf(';');
    pins.push({
      incarnation: String(fields[at]),
      id: value.slice(separator + 1),
      pinnedAt: Number(value.slice(0, separator)),
    });
  }
  return pins;
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
}
