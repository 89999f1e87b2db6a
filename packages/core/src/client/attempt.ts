import { formatOffset } from '../http/offsets.ts';
import { HEADER, OFFSET_NOW, OFFSET_START, PARAM } from '../http/wire.ts';
import type { StreamEnd } from '../log/end.ts';
import { isStreamError, StreamError } from '../log/errors.ts';
import { type StreamEndpoint, sendRequest, unreachable } from './client-request.ts';
import type { ClientClock } from './clock.ts';
import type { ParseJson, ReceivedRecord } from './received-record.ts';
import type { RecordCursor } from './record-cursor.ts';
import type { RemoteState } from './remote-state.ts';
import { type ResponseFailure, toResponseFailure } from './response-error.ts';
import { StreamReplacedError } from './stream-replaced-error.ts';
import type { Watchdog } from './watchdog.ts';

/** Where a connection starts: a position, the tail at that time, or so many records before the tail. */
export type StartAt = number | 'now' | { readonly last: number };

/** Why the connection stopped an attempt: its owner closed it, it is to be made anew, or it was silent for too long. */
export type StopReason = 'closed' | 'woken' | 'silent';

/** How one request and its answer went. */
export type AttemptOutcome =
  | ResponseFailure
  /** The stream has ended and everything before the end was delivered. */
  | { readonly type: 'ended'; readonly end: StreamEnd }
  /** The server ended its response in good order: it is to be resumed. */
  | { readonly type: 'rollover' }
  /** A poll was answered. `idle`: one that may wait for records brought none. */
  | { readonly type: 'polled'; readonly idle: boolean }
  /** No answer came in time. */
  | { readonly type: 'timeout'; readonly error: StreamError }
  /** Server-sent events do not get through here. */
  | { readonly type: 'unusable'; readonly error: StreamError }
  /** What came cannot be right. */
  | { readonly type: 'corrupt'; readonly error: StreamError }
  /** The connection itself stopped the attempt. */
  | { readonly type: 'stopped'; readonly reason: 'closed' | 'woken' };

/** Times that an attempt watches, in ms. */
export interface AttemptTimes {
  readonly connectTimeoutMs: number;
  readonly firstByteMs: number;
  readonly silenceMs: number;
  readonly longPollTimeoutMs: number;
}

/** What was received at once. */
export interface Delivery {
  /** New records, in order; may be empty. */
  readonly records: readonly ReceivedRecord[];
  /** The latest state, when one came. */
  readonly state: RemoteState | null;
}

/** What an attempt needs to know and whom it tells. */
export interface AttemptContext {
  /** For messages: the URL or the id of the stream. */
  readonly name: string;
  readonly start: StartAt;
  readonly cursor: RecordCursor;
  readonly times: AttemptTimes;
  readonly clock: ClientClock;
  readonly watchdog: Watchdog;
  /** Aborted with a {@link StopReason}. */
  readonly signal: AbortSignal;
  /** Everything that is there was received: the next poll may wait. */
  readonly upToDate: boolean;
  /** Cursor for caches from the last answer; null = none. */
  readonly cacheCursor: string | null;
  /** Incarnation of the stream; null = not known yet. */
  readonly incarnation: string | null;
  readonly parseJson: ParseJson;
  /** Is told that the server answered, and of the stream's incarnation when it names one. */
  readonly onAnswer: (incarnation: string | null) => void;
  /** Takes what was received; reading goes on when the promise resolves. */
  readonly deliver: (delivery: Delivery) => void | Promise<void>;
}

/** An answer, or what became of the request without one. */
export type Answer = { readonly response: Response } | { readonly outcome: AttemptOutcome };

/** Sends the request of an attempt, from where its cursor stands. */
export async function requestAnswer(
  endpoint: StreamEndpoint,
  context: AttemptContext,
  params: Readonly<Record<string, string>>,
  accept: string,
): Promise<Answer> {
  const { clock, cursor, signal } = context;
  let response: Response;
  try {
    const pending = sendRequest(endpoint, {
      params: { ...startParams(context), ...params },
      headers: { Accept: accept },
      signal,
    });
    response = await untilAborted(pending, signal, (late) => void late.body?.cancel().catch(() => undefined));
  } catch (error) {
    return { outcome: stopped(context, 'timeout') ?? failedRequest(endpoint, error) };
  }
  if (!response.ok) {
    const failure = await toResponseFailure(response, {
      url: endpoint.url,
      position: cursor.position ?? 0,
      now: clock.now(),
    });
    return { outcome: stopped(context, 'timeout') ?? failure };
  }
  const incarnation = response.headers.get(HEADER.incarnation);
  if (incarnation !== null && context.incarnation !== null && incarnation !== context.incarnation) {
    await response.body?.cancel().catch(() => undefined);
    return {
      outcome: { type: 'fatal', error: new StreamReplacedError(endpoint.url, context.incarnation, incarnation) },
    };
  }
  return { response };
}

function failedRequest({ url }: StreamEndpoint, error: unknown): AttemptOutcome {
  if (isStreamError(error) && error.code === 'INVALID_ARGUMENT') return { type: 'fatal', error };
  return { type: 'dropped', error: unreachable(url, error), retryAfterMs: null };
}

function startParams({ cursor, start }: AttemptContext): Record<string, string> {
  const view = { [PARAM.view]: 'records' };
  const { position } = cursor;
  if (position === 0) return { ...view, [PARAM.offset]: OFFSET_START };
  if (position !== null) return { ...view, [PARAM.offset]: formatOffset(position) };
  return typeof start === 'object'
    ? { ...view, [PARAM.last]: String(start.last) }
    : { ...view, [PARAM.offset]: OFFSET_NOW };
}

/**
 * Reads a body to its end, until `take` returns true, or until the attempt is stopped.
 *
 * @throws Whatever reading the body, or `take`, throws.
 */
export async function pumpBody(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  take: (bytes: Uint8Array) => boolean | Promise<boolean>,
): Promise<void> {
  const reader = body.getReader();
  // Cancelling settles a pending read, also of a body that does not listen to the request's signal.
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      const taken = take(value);
      if (taken === true || (taken && (await untilAborted(taken, signal)))) return;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/**
 * Hands over what was received. While the consumer holds the connection back, silence is its own doing.
 *
 * @param silenceMs How long silence may last afterwards.
 */
export function deliver(
  { deliver: hand, watchdog }: AttemptContext,
  delivery: Delivery,
  silenceMs: number,
): void | Promise<void> {
  const taken = hand(delivery);
  if (!taken) return undefined;
  watchdog.expect(Infinity);
  return taken.then(() => watchdog.expect(silenceMs));
}

/** Waits for a promise, or rejects once the attempt is stopped: neither `fetch` nor a consumer can be relied on to notice. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, onLate?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new StreamError('ABORTED', 'The attempt was stopped.'));
      promise.then(onLate, () => undefined);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * The outcome of an attempt that the connection stopped; null when it was not stopped.
 *
 * @param silence What silence means at this point of the attempt.
 */
export function stopped(
  { signal, name, watchdog, clock }: AttemptContext,
  silence: 'timeout' | 'unusable' | 'dropped',
): AttemptOutcome | null {
  if (!signal.aborted) return null;
  const reason = signal.reason as StopReason;
  if (reason !== 'silent') return { type: 'stopped', reason };
  const error = new StreamError(
    'STORE_ERROR',
    `Nothing was heard from ${name} for ${clock.now() - watchdog.lastSign} ms.`,
  );
  return silence === 'dropped' ? { type: 'dropped', error, retryAfterMs: null } : { type: silence, error };
}

/** The outcome of an attempt whose body broke off or made no sense. */
export function broken({ name }: AttemptContext, error: unknown): AttemptOutcome {
  if (error instanceof ConsumerError) return { type: 'fatal', error: error.streamError };
  if (isStreamError(error) || error instanceof RangeError) {
    return {
      type: 'corrupt',
      error: isStreamError(error) ? error : new StreamError('CORRUPT', error.message, { cause: error }),
    };
  }
  return { type: 'dropped', error: unreachable(name, error), retryAfterMs: null };
}

/** Carries what a consumer threw through the attempt, so that it is not taken for a failure of the network. */
export class ConsumerError extends Error {
  readonly streamError: StreamError;

  constructor(streamError: StreamError) {
    super(streamError.message, { cause: streamError });
    this.streamError = streamError;
  }
}
