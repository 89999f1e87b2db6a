import { isStreamError, isStreamNotFound, StreamError, StreamNotFoundError, toStoreError } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { DataRecord, StreamRecord } from '../log/record.ts';
import type { StreamStore } from '../log/store.ts';
import { createLeaseObserver, type LeaseObserver } from '../reader/lease-observer.ts';
import { endLost, leaseHolderOf } from '../reader/lost-producer.ts';
import { type AttemptContext, type AttemptOutcome, ConsumerError, stopped } from './attempt.ts';
import type { ConnectionHandlers, ConnectionOptions, StreamConnection } from './connection-options.ts';
import { openConnection } from './managed-connection.ts';
import type { ParseJson, ReceivedRecord } from './received-record.ts';
import { StreamReplacedError } from './stream-replaced-error.ts';

/** A stream in a store that this process reaches without HTTP. */
export interface StoreTarget {
  readonly store: StreamStore;
  readonly streamId: string;
}

/** Records read at once. */
const PAGE = 512;

/**
 * Connects to a stream of a store in this process, as {@link connectStream} does over HTTP: for tests, and for renderers that live with the
 * store. Ends are not made public on the way.
 *
 * @throws `INVALID_ARGUMENT` naming an option that makes no sense.
 */
export function connectStore(options: StoreTarget & ConnectionOptions & ConnectionHandlers): StreamConnection {
  return openConnection({ name: options.streamId, attempt: (context) => attemptStore(options, context) }, options);
}

async function attemptStore(target: StoreTarget, context: AttemptContext): Promise<AttemptOutcome> {
  // A store in this process does not fall silent; it rejects.
  context.watchdog.expect(Infinity);
  try {
    return await followStore(target, context);
  } catch (error) {
    return stopped(context, 'dropped') ?? toOutcome(target, error);
  }
}

async function followStore({ store, streamId }: StoreTarget, context: AttemptContext): Promise<AttemptOutcome> {
  const { cursor, signal } = context;
  const lease = createLeaseObserver();
  if (cursor.position === null) cursor.reach(await resolveStart({ store, streamId }, context), false);
  for (;;) {
    const from = cursor.position ?? 0;
    const { records, head } = await store.read(streamId, { from, limit: PAGE });
    const interrupted = stopped(context, 'dropped');
    if (interrupted) return interrupted;
    if (context.incarnation !== null && head.incarnation !== context.incarnation) {
      return { type: 'fatal', error: new StreamReplacedError(streamId, context.incarnation, head.incarnation) };
    }
    context.onAnswer(head.incarnation);
    const atTail = from + records.length >= head.nextPosition;
    const end = atTail ? head.end : null;
    // Of a stream that has an owner, the owner's (PROTOCOL.md, "Leases").
    const holder = await leaseHolderOf(store, head);
    const stalled = !end && lease.observe(holder).state === 'lapsed';
    await context.deliver({
      records: cursor.admit(records.map((record) => toReceived(record, context.parseJson))),
      state: {
        position: cursor.position ?? from,
        end,
        upToDate: atTail,
        stalled,
        cancelRequested: head.cancel !== null,
        cursor: null,
      },
    });
    if (end) return { type: 'ended', end };
    if (atTail) await waitForNews({ store, streamId }, { head, holder, lease, signal });
  }
}

async function resolveStart({ store, streamId }: StoreTarget, { start }: AttemptContext): Promise<number> {
  const head = await store.head(streamId);
  if (!head) throw new StreamNotFoundError(streamId);
  return typeof start === 'object' ? Math.max(head.firstPosition, head.nextPosition - start.last) : head.nextPosition;
}

interface Waiting {
  readonly head: StreamHead;
  /** The head whose lease counts. */
  readonly holder: StreamHead;
  readonly lease: LeaseObserver;
  readonly signal: AbortSignal;
}

async function waitForNews({ store, streamId }: StoreTarget, { head, holder, lease, signal }: Waiting): Promise<void> {
  const { state, remainingMs } = lease.observe(holder);
  // Losing the race against another observer, or a store that may not be written, is no reason to stop reading.
  if ((state === 'lapsed' || holder.end) && (await endLost(store, head, holder).catch(() => false))) return;
  const timeoutMs = state === 'lapsed' ? (holder.lease?.durationMs ?? Infinity) : remainingMs;
  await store.wait(streamId, {
    position: head.nextPosition,
    cancel: head.cancel === null,
    signal,
    ...(timeoutMs !== Infinity && { timeoutMs }),
  });
}

function toReceived(record: StreamRecord, parseJson: ParseJson): ReceivedRecord {
  const { position, timestamp } = record;
  if (record.kind === 'supersede') {
    return { kind: 'supersede', position, timestamp, step: record.step, belowAttempt: record.belowAttempt };
  }
  const value = decodeRecord(record, parseJson);
  if (record.step === undefined) return { kind: 'data', position, timestamp, value };
  return { kind: 'data', position, timestamp, value, step: record.step, attempt: record.attempt ?? 1 };
}

function decodeRecord({ data, position }: DataRecord, parseJson: ParseJson): unknown {
  try {
    return typeof data === 'string' ? parseJson(data) : data;
  } catch (cause) {
    throw new StreamError('CORRUPT', `The record at position ${position} is no JSON text.`, { cause });
  }
}

function toOutcome({ streamId }: StoreTarget, thrown: unknown): AttemptOutcome {
  if (thrown instanceof ConsumerError) return { type: 'fatal', error: thrown.streamError };
  if (isStreamNotFound(thrown)) return { type: 'not-found', error: thrown };
  const error = toStoreError(thrown, `reading stream ${streamId}`);
  if (isStreamError(error) && error.code === 'CORRUPT') return { type: 'corrupt', error };
  return error.retryable ? { type: 'dropped', error, retryAfterMs: null } : { type: 'fatal', error };
}
