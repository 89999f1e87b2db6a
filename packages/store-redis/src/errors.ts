import { isStreamError, quote, StreamError } from '@perennial/core';

/**
 * A write was stored, but fewer replicas than `waitReplicas` confirmed it in time. Retryable: the same append sent again is recognised by
 * its producer, stored once, and waits for the replicas again.
 */
export class RedisReplicationError extends StreamError<'STORE_ERROR'> {
  readonly streamId: string;
  /** Replicas that confirmed. */
  readonly confirmed: number;
  /** Replicas that `waitReplicas` wants. */
  readonly wanted: number;

  constructor(streamId: string, confirmed: number, wanted: number) {
    super(
      'STORE_ERROR',
      `The write to stream ${quote(streamId)} reached ${confirmed} of ${wanted} replicas in time. Try again; check the replicas if it persists.`,
    );
    this.streamId = streamId;
    this.confirmed = confirmed;
    this.wanted = wanted;
  }
}

/**
 * The server has fewer records of a stream than it acknowledged to this process before: a failover or a restart lost them. Nothing was
 * written. Delete the stream and produce it again, or go on in a new process with what is left.
 */
export class RedisDataLossError extends StreamError<'CORRUPT'> {
  readonly streamId: string;
  /** Position that the server acknowledged earlier. */
  readonly acknowledgedPosition: number;
  /** Position it has now. */
  readonly currentPosition: number;

  constructor(streamId: string, acknowledgedPosition: number, currentPosition: number) {
    super(
      'CORRUPT',
      `Redis lost acknowledged records of stream ${quote(streamId)}: it had reached position ${acknowledgedPosition}, now it is at ${currentPosition}. A failover or a restart dropped them; \`waitReplicas\` and appendfsync always prevent that.`,
    );
    this.streamId = streamId;
    this.acknowledgedPosition = acknowledgedPosition;
    this.currentPosition = currentPosition;
  }
}

/** True when the server does not know the script of an EVALSHA. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** True when a server of a Cluster does not, or not at the moment, hold the keys of a command. */
export function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^-?(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(error.message);
}

/** The code of a server's error reply, such as `OOM`; empty for anything else. */
function replyCode(message: string): string {
  return /^-?([A-Z]+)\b/.exec(message)?.[1] ?? '';
}

/**
 * Turns whatever a client library or the server reports into the error that every store gives for it. A `STORE_ERROR` may pass by
 * itself; whether a write that got one was stored is unknown, and its producer settles it.
 */
export function toRedisError(error: unknown, doing: string): StreamError {
  if (isStreamError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const report = (what: string): string => `Redis ${what} while ${doing}: ${message}`;
  switch (replyCode(message)) {
    case 'OOM':
      return new StreamError('STORE_FULL', report('has reached its `maxmemory`'), { cause: error });
    case 'LOADING':
      return new StreamError('STORE_ERROR', report('is still loading its data'), { cause: error });
    case 'READONLY':
      return new StreamError('STORE_ERROR', report('is a replica and takes no writes'), { cause: error });
    case 'MISCONF':
    case 'NOREPLICAS':
      return new StreamError('STORE_ERROR', report('takes no writes at present'), { cause: error });
    case 'MOVED':
    case 'ASK':
    case 'CROSSSLOT':
      return new StreamError(
        'UNSUPPORTED',
        report('is a Cluster that this client does not follow; pass a cluster client'),
        {
          cause: error,
        },
      );
    case 'NOAUTH':
    case 'WRONGPASS':
    case 'NOPERM':
      return new StreamError('FORBIDDEN', report('refuses this user'), { cause: error });
    case 'WRONGTYPE':
      return new StreamError('CORRUPT', report('holds something else under the key of a stream'), { cause: error });
    default:
      if (message.includes('equal or smaller than the target stream top item'))
        return new StreamError('CORRUPT', report('has a log that is longer than its head says'), { cause: error });
      return unknownCommand(message)
        ? new StreamError('UNSUPPORTED', report('lacks a command; version 7 or Valkey is needed'), { cause: error })
        : new StreamError('STORE_ERROR', report('failed'), { cause: error });
  }
}

function unknownCommand(message: string): boolean {
  return /unknown (redis )?command/i.test(message);
}

/** The error of a log that has less than its head says. */
export function missingRecords(id: string, where: string): StreamError<'CORRUPT'> {
  return new StreamError(
    'CORRUPT',
    `Records of stream ${id} are missing in Redis from ${where}. Was its log evicted, or changed by something else?`,
  );
}
