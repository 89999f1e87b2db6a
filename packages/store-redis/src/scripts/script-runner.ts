import { StreamError } from '@perennial/core';

import type { RedisArgument, RedisPort, RedisReply } from '../clients/port.ts';
import { isUnknownScript, toRedisError } from '../errors.ts';
import type { StreamKeys } from '../keys.ts';
import { createDeadlines } from './deadlines.ts';
import type { RedisScript } from './redis-script.ts';

/** Sends scripts and commands, each with a deadline, and translates what goes wrong. */
export interface ScriptRunner {
  /** Runs a script on a stream's keys: one command, and a second one where the server does not know the script yet. */
  run(
    script: RedisScript,
    target: ScriptTarget,
    ...args: readonly (readonly RedisArgument[])[]
  ): Promise<readonly RedisReply[]>;
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
  /** The script is about the forks of the stream. @default false */
  readonly withForks?: boolean;
}

/** The command that runs a script, given as EVAL with its source or EVALSHA with its hash. */
export function scriptCommand(
  [name, script]: readonly [name: 'EVAL' | 'EVALSHA', script: string],
  { keys, withIndex = false, withForks = false }: ScriptTarget,
  ...args: readonly (readonly RedisArgument[])[]
): RedisArgument[] {
  const head: RedisArgument[] = [name, script, '2', keys.meta, keys.log];
  if (withForks) head.push(keys.forks);
  if (withIndex) head.push(keys.index);
  if (head.length > 5) head[2] = String(head.length - 3);
  return head.concat(...args);
}

/** Creates a runner over a port, which may still be on its way. */
export function createScriptRunner(port: () => RedisPort | Promise<RedisPort>, timeoutMs: number): ScriptRunner {
  const deadlines = createDeadlines(timeoutMs);

  const dispatch = (key: string | null, command: readonly RedisArgument[]): Promise<RedisReply> => {
    const ready = port();
    const sent = ready instanceof Promise ? ready.then((own) => own.send(key, command)) : ready.send(key, command);
    return deadlines.within(sent, () => lateAnswer(command, timeoutMs));
  };

  return {
    async run(script, target, ...args) {
      const { meta } = target.keys;
      try {
        try {
          return listOf(await dispatch(meta, scriptCommand(['EVALSHA', script.sha], target, ...args)));
        } catch (error) {
          if (!isUnknownScript(error)) throw error;
          return listOf(await dispatch(meta, scriptCommand(['EVAL', script.source], target, ...args)));
        }
      } catch (error) {
        throw toRedisError(error, `running ${script.name} on stream ${target.id}`);
      }
    },
    async send(key, command) {
      try {
        return await dispatch(key, command);
      } catch (error) {
        throw toRedisError(error, `sending ${String(command[0])}`);
      }
    },
    close: () => deadlines.close(),
  };
}

function lateAnswer([name]: readonly RedisArgument[], timeoutMs: number): Error {
  return new StreamError(
    'STORE_ERROR',
    `Redis gave no answer to ${String(name)} within ${timeoutMs} ms. Whether it was carried out is unknown.`,
  );
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [reply];
}
