import { StreamError } from '@perennial/core';

import type { RedisArgument, RedisPort, RedisReply } from '../clients/port.ts';
import { isUnknownScript, toRedisError } from '../errors.ts';
import type { StreamKeys } from '../keys.ts';
import { createDeadlines, type Outcome } from './deadlines.ts';
import type { RedisScript } from './redis-script.ts';

/** Sends scripts and commands, each with a deadline, and translates what goes wrong. */
export interface ScriptRunner {
  /** Runs a script on a stream's keys: one command, and a second one where the server does not know the script yet. */
  run<R>(call: ScriptCall, accept: (reply: RedisReply) => R): Promise<R>;
  /** The same, with callbacks; they must not throw. */
  start(call: ScriptCall, outcome: ScriptOutcome): void;
  /** Sends a single command to the server of `key`. */
  send(key: string | null, command: readonly RedisArgument[]): Promise<RedisReply>;
  close(): void;
}

/** A run of a script. */
export interface ScriptCall {
  readonly script: RedisScript;
  readonly target: ScriptTarget;
  readonly args: readonly RedisArgument[];
}

/** Who is told what a script returned, or why it did not. */
export type ScriptOutcome = Pick<Outcome<RedisReply>, 'accept' | 'reject'>;

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
  [name, script]: readonly [name: 'eval' | 'evalsha', script: string],
  { keys, withIndex = false, withForks = false }: ScriptTarget,
  args: readonly RedisArgument[],
): RedisArgument[] {
  const command: RedisArgument[] = [name, script, '2', keys.meta, keys.log];
  if (withForks) command.push(keys.forks);
  if (withIndex) command.push(keys.index);
  if (command.length > 5) command[2] = String(command.length - 3);
  for (const arg of args) command.push(arg);
  return command;
}

/**
 * Creates a runner over a port, which may still be on its way.
 *
 * Names of commands are in lower case, which `ioredis` would otherwise turn them into several times per command.
 */
export function createScriptRunner(port: () => RedisPort | Promise<RedisPort>, timeoutMs: number): ScriptRunner {
  const deadlines = createDeadlines(timeoutMs);

  const hand = (key: string | null, command: readonly RedisArgument[]): Promise<RedisReply> => {
    try {
      const ready = port();
      return ready instanceof Promise ? ready.then((own) => own.send(key, command)) : ready.send(key, command);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const dispatch = (key: string | null, command: readonly RedisArgument[], { accept, reject }: ScriptOutcome): void => {
    deadlines.watch(hand(key, command), { accept, reject, late: () => lateAnswer(command, timeoutMs) });
  };
  const start = ({ script, target, args }: ScriptCall, { accept, reject }: ScriptOutcome): void => {
    const { meta } = target.keys;
    const fail = (error: unknown): void => reject(failure(error, script, target));
    dispatch(meta, scriptCommand(['evalsha', script.sha], target, args), {
      accept,
      reject: (error) => {
        if (!isUnknownScript(error)) fail(error);
        else dispatch(meta, scriptCommand(['eval', script.source], target, args), { accept, reject: fail });
      },
    });
  };

  return {
    start,
    run: async (call, accept) =>
      accept(
        await new Promise<RedisReply>((resolve, reject) => {
          start(call, { accept: resolve, reject });
        }),
      ),
    send: (key, command) =>
      new Promise((resolve, reject) => {
        dispatch(key, command, {
          accept: resolve,
          reject: (error) => reject(toRedisError(error, `sending ${String(command[0])}`)),
        });
      }),
    close: () => deadlines.close(),
  };
}

function failure(error: unknown, { name }: RedisScript, { id }: ScriptTarget): StreamError {
  return toRedisError(error, `running ${name} on stream ${id}`);
}

function lateAnswer([name]: readonly RedisArgument[], timeoutMs: number): Error {
  return new StreamError(
    'STORE_ERROR',
    `Redis gave no answer to ${String(name).toUpperCase()} within ${timeoutMs} ms. Whether it was carried out is unknown.`,
  );
}
