import { StreamError } from '@perennial/core';

import type { RedisArgument, RedisPort, RedisReply } from '../clients/port.ts';
import { isUnknownScript, toRedisError } from '../errors.ts';
import type { StreamKeys } from '../keys.ts';
import { createDeadlines } from './deadlines.ts';
import type { RedisScript } from './redis-script.ts';

/** Sends scripts and commands, each with a deadline, and translates what goes wrong. */
export interface ScriptRunner {
  /** Runs a script on a stream's keys: one command, and a second one where the server does not know the script yet. */
  run(script: RedisScript, target: ScriptTarget, args: readonly RedisArgument[]): Promise<readonly RedisReply[]>;
  /** Sends a single command to the server of `key`. */
  send(key: string | null, command: readonly RedisArgument[]): Promise<RedisReply>;
  close(): void;
}

/** The stream a script works on. */
export interface ScriptTarget {
  readonly id: string;
  readonly keys: StreamKeys;
  /** The script may touch the stream's shard of the index, which lies on the same server. @default false */
  readonly withIndex?: boolean;
}

/** The keys that a script on this stream gets. */
export function scriptKeys({ keys, withIndex = false }: ScriptTarget): readonly string[] {
  return withIndex ? [keys.meta, keys.log, keys.index] : [keys.meta, keys.log];
}

/** Creates a runner over a port, which may still be on its way. */
export function createScriptRunner(port: () => RedisPort | Promise<RedisPort>, timeoutMs: number): ScriptRunner {
  const deadlines = createDeadlines(timeoutMs);

  const dispatch = async (key: string | null, command: readonly RedisArgument[], doing: string): Promise<RedisReply> => {
    const late = (): Error =>
      new StreamError('STORE_ERROR', `Redis gave no answer within ${timeoutMs} ms while ${doing}. Whether it was done is unknown.`);
    const ready = port();
    const sent = ready instanceof Promise ? ready.then((own) => own.send(key, command)) : ready.send(key, command);
    return deadlines.within(sent, late);
  };

  return {
    async run(script, target, args) {
      const names = scriptKeys(target);
      const { meta } = target.keys;
      const doing = `running ${script.name} on stream ${target.id}`;
      const tail = [String(names.length), ...names, ...args];
      try {
        return listOf(await dispatch(meta, ['EVALSHA', script.sha, ...tail], doing));
      } catch (error) {
        if (!isUnknownScript(error)) throw toRedisError(error, doing);
      }
      try {
        return listOf(await dispatch(meta, ['EVAL', script.source, ...tail], doing));
      } catch (error) {
        throw toRedisError(error, doing);
      }
    },
    async send(key, command) {
      const doing = `sending ${String(command[0])}`;
      try {
        return await dispatch(key, command, doing);
      } catch (error) {
        throw toRedisError(error, doing);
      }
    },
    close: () => deadlines.close(),
  };
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [reply];
}
