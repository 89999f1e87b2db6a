import type { RedisArgument, RedisReply } from './clients/port.ts';

/** Something about the server or its data that an operator should know of. */
export interface RedisStoreWarning {
  /**
   * - `NOT_PERSISTENT`: no append-only file; a crash or restart of the server loses acknowledged data.
   * - `NOT_SYNCED`: the append-only file is left to the operating system (`appendfsync no`); a power failure loses acknowledged data.
   * - `EVICTION`: at its memory limit the server drops keys that nobody gave an expiry, among them open streams.
   * - `OLD_SERVER`: older than version 7; sharded channels are missing.
   * - `DATA_LOSS`: the server lost records that it had acknowledged; the calls concerned reject with `CORRUPT`.
   */
  readonly code: 'NOT_PERSISTENT' | 'NOT_SYNCED' | 'EVICTION' | 'OLD_SERVER' | 'DATA_LOSS';
  readonly message: string;
}

/**
 * Looks at how the server keeps data, and tells what would lose it. Uses INFO, and CONFIG GET where it is allowed: hosted servers forbid it.
 * What cannot be found out is not warned about.
 */
export async function checkServer(
  send: (command: readonly RedisArgument[]) => Promise<RedisReply>,
): Promise<readonly RedisStoreWarning[]> {
  const ask = (...command: string[]): Promise<RedisReply> => send(command).catch(() => '');
  const [info, fsync] = await Promise.all([ask('INFO'), ask('CONFIG', 'GET', 'appendfsync')]);
  const text = String(info);
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
  const warnings: RedisStoreWarning[] = [];

  const version = field('redis_version');
  if (version !== undefined && Number.parseInt(version, 10) < 7) {
    warnings.push({ code: 'OLD_SERVER', message: `The server is Redis ${version}; version 7 or Valkey is needed.` });
  }
  if (field('aof_enabled') === '0') {
    warnings.push({
      code: 'NOT_PERSISTENT',
      message: 'Redis has no append-only file: a restart loses acknowledged records. Set `appendonly yes`.',
    });
  } else if (Array.isArray(fsync) && String(fsync[1]) === 'no') {
    warnings.push({
      code: 'NOT_SYNCED',
      message:
        'Redis never syncs its append-only file: a power failure loses acknowledged records. Set `appendfsync always` or `everysec`.',
    });
  }
  const policy = field('maxmemory_policy');
  if (policy?.startsWith('allkeys')) {
    warnings.push({
      code: 'EVICTION',
      message: `Redis evicts any key at its memory limit (maxmemory-policy ${policy}): open streams may vanish. Set \`maxmemory-policy noeviction\`.`,
    });
  }
  return warnings;
}

/** Where warnings go when nobody listens: the process's own warnings. */
export function emitWarning({ code, message }: RedisStoreWarning): void {
  process.emitWarning(message, { type: 'RedisStreamStoreWarning', code });
}
