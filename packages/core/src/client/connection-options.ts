import type { StreamEnd } from '../log/end.ts';
import { InvalidArgumentError, quote, type StreamError } from '../log/errors.ts';
import type { AttemptTimes, StartAt } from './attempt.ts';
import type { ClientClock } from './clock.ts';
import type { MachinePolicy, Transport } from './connection-machine.ts';
import { isCount, type ParseJson, type ReceivedRecord } from './received-record.ts';
import type { WakeSignals } from './wake-signals.ts';

/** State of a {@link StreamConnection}. */
export interface ConnectionState {
  readonly phase: 'connecting' | 'open' | 'waiting' | 'ended' | 'failed' | 'closed';
  /** Position of the next record; null until a start relative to the tail is known. */
  readonly position: number | null;
  /** Everything that was there has been received. */
  readonly upToDate: boolean;
  /** The producer shows no sign of life. */
  readonly stalled: boolean;
  /** Somebody asked the producer to stop. */
  readonly cancelRequested: boolean;
  /** Set with `ended`. */
  readonly end: StreamEnd | null;
  /** Why the connection is `waiting` or `failed`; stays while it tries again. */
  readonly error: StreamError | null;
  /** Tells a stream from a later one under the same id; null until known. */
  readonly incarnation: string | null;
  readonly transport: Transport;
}

/** Whom a connection tells. */
export interface ConnectionHandlers {
  /**
   * Takes records: in order, dense, each position once. A promise holds the connection back until it resolves; records that it rejects
   * are not taken, and fail the connection.
   */
  readonly onRecords: (records: readonly ReceivedRecord[]) => void | Promise<void>;
  /** Is told of every change of state, after the records before it. */
  readonly onState?: (state: ConnectionState) => void;
}

/** How a connection is kept. */
export interface ReconnectOptions {
  /** Failures in a row after which it gives up. @default Infinity */
  readonly maxFailures?: number;
  /** Upper bound of the first pause, in ms; it doubles with each failure, and a random part of it is waited. @default 500 */
  readonly baseMs?: number;
  /** Upper bound of every pause, in ms. @default 15000 */
  readonly maxMs?: number;
}

/** Options of a connection that do not say where it leads. */
export interface ConnectionOptions {
  /** @default 0 */
  readonly from?: StartAt;
  /** Incarnation that `from` belongs to; another one fails the connection. @default any */
  readonly incarnation?: string;
  /** `auto`: server-sent events, and long-polling where a proxy keeps them back. @default 'auto' */
  readonly transport?: Transport | 'auto';
  /** False: the first failure is the last. @default true */
  readonly reconnect?: boolean | ReconnectOptions;
  /** How long a stream that does not exist yet is waited for, in ms. @default 0 */
  readonly waitForCreateMs?: number;
  /** How long an answer may take to begin, in ms. @default 15000 */
  readonly connectTimeoutMs?: number;
  /** How long the first event of an SSE response may take before it is taken to be kept back by a proxy, in ms. @default 5000 */
  readonly firstByteMs?: number;
  /** Silence after which an open response is taken for dead, in ms; must exceed the server's heartbeat of 15 s. @default 40000 */
  readonly silenceMs?: number;
  /** The same, for a page that just became visible, in ms. @default 20000 */
  readonly wakeSilenceMs?: number;
  /** How long a long-poll may take to be answered, in ms; must exceed the server's 20 s. @default 45000 */
  readonly longPollTimeoutMs?: number;
  /**
   * Parses values, and the JSON in which they come over HTTP; for a reviver that keeps what `JSON.parse` cannot hold, such as large
   * integers. What it makes of `null`, strings, booleans and integers below 2^53 must be what `JSON.parse` makes of them.
   * @default JSON.parse
   */
  readonly parseJson?: ParseJson;
  /** Closes the connection. Never cancels the producer. */
  readonly signal?: AbortSignal;
  /** @default the platform's */
  readonly clock?: ClientClock;
  /** A number from 0 to 1, for jitter. @default Math.random */
  readonly random?: () => number;
  /** @default the page's visibility and network events */
  readonly wakeSignals?: WakeSignals;
}

/** A connection to one stream. */
export interface StreamConnection {
  readonly state: ConnectionState;
  /** Connects anew at once, from where it is. Does nothing once the stream has ended. */
  reconnect(): void;
  /** Disconnects. Never cancels the producer. Idempotent. */
  close(): void;
}

/** @throws {@link InvalidArgumentError} unless `from` is a start. */
export function assertStart(from: StartAt): StartAt {
  const valid = from === 'now' || isCount(from) || (typeof from === 'object' && from !== null && isCount(from.last));
  if (!valid)
    throw new InvalidArgumentError(
      'from',
      `\`from\` must be a position, 'now' or { last: n }; got ${typeof from === 'number' ? from : quote(from)}.`,
    );
  return from;
}

/** The times a connection watches, in ms. */
export interface ConnectionTimes extends AttemptTimes {
  readonly wakeSilenceMs: number;
}

const DEFAULT_TIMES: ConnectionTimes = {
  connectTimeoutMs: 15_000,
  firstByteMs: 5_000,
  silenceMs: 40_000,
  wakeSilenceMs: 20_000,
  longPollTimeoutMs: 45_000,
};

/** @throws {@link InvalidArgumentError} naming the first time that makes no sense. */
export function resolveTimes(options: ConnectionOptions): ConnectionTimes {
  const times: Record<keyof ConnectionTimes, number> = { ...DEFAULT_TIMES };
  for (const name of Object.keys(DEFAULT_TIMES) as (keyof ConnectionTimes)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!(typeof value === 'number' && value > 0))
      throw new InvalidArgumentError(
        name,
        `\`${name}\` must be a number of milliseconds above 0; got ${quote(value)}.`,
      );
    times[name] = value;
  }
  return times;
}

/** @throws {@link InvalidArgumentError} naming the first option that makes no sense. */
export function resolvePolicy(options: ConnectionOptions): MachinePolicy {
  const { reconnect = true, waitForCreateMs = 0, transport = 'auto', random = Math.random } = options;
  const { maxFailures = Infinity, baseMs = 500, maxMs = 15_000 } = typeof reconnect === 'object' ? reconnect : {};
  for (const [name, value] of Object.entries({ maxFailures, baseMs, maxMs, waitForCreateMs })) {
    if (!(typeof value === 'number' && value >= 0))
      throw new InvalidArgumentError(name, `\`${name}\` must be a number from 0; got ${quote(value)}.`);
  }
  if (transport !== 'auto' && transport !== 'sse' && transport !== 'long-poll') {
    throw new InvalidArgumentError(
      'transport',
      `\`transport\` is 'auto', 'sse' or 'long-poll'; got ${quote(transport)}.`,
    );
  }
  return { baseMs, maxMs, maxFailures: reconnect === false ? 0 : maxFailures, waitForCreateMs, transport, random };
}
