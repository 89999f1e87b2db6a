import { assertEnd, assertRecords } from './append-request.ts';
import type { LogState } from './append-rules.ts';
import { assertCounter, assertName, assertObject, assertPositive, assertText } from './arguments.ts';
import { JSON_CONTENT_TYPE, mediaType, payloadsFit } from './codec.ts';
import { InvalidArgumentError, quote, StreamExistsError, StreamFencedError } from './errors.ts';
import { assertForkOptions, type ForkPoint } from './fork-rules.ts';
import type { StreamHead } from './head.ts';
import type { CreateOptions, Mark } from './store.ts';

/** What a store supplies to a new stream. */
export interface NewStream {
  readonly id: string;
  /** A fresh unguessable string. */
  readonly incarnation: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Where it forks off, for a fork. */
  readonly fork?: ForkPoint;
}

/** The head of a new, empty, open stream. Options must have passed {@link assertCreateOptions}. */
export function createHead({ id, incarnation, now, fork }: NewStream, options: CreateOptions): StreamHead {
  return {
    id,
    incarnation,
    contentType: options.contentType ?? JSON_CONTENT_TYPE,
    createdAt: now,
    firstPosition: fork?.firstPosition ?? 0,
    nextPosition: fork?.origin.position ?? 0,
    end: null,
    cancel: null,
    lease: options.leaseMs === undefined ? null : { durationMs: options.leaseMs, beat: 0 },
    owner: options.owner ?? null,
    token: options.token ?? 0,
    ttlMs: options.ttlMs ?? null,
    expiresAt: options.expiresAt ?? null,
    fork: fork?.origin ?? null,
  };
}

/**
 * Decides a creation that finds a stream (PROTOCOL.md, "Create").
 *
 * @returns The token the stream has to be raised to, or null when nothing changes.
 * @throws {@link StreamExistsError} when content type, ttl or expiry differ; {@link StreamFencedError} when the stream's token is higher.
 */
export function decideExisting(head: StreamHead, options: CreateOptions): number | null {
  const { ttlMs = null, expiresAt = null, token, fork } = options;
  // A fork has of its source what was not asked for.
  const contentType = options.contentType ?? (fork ? head.contentType : JSON_CONTENT_TYPE);
  const inheritsLife = fork !== undefined && ttlMs === null && expiresAt === null;
  const differ = (name: string, stored: unknown, wanted: unknown): never => {
    throw new StreamExistsError(head.id, `${name} is ${quote(stored)}, asked for was ${quote(wanted)}`);
  };
  if (mediaType(head.contentType) !== mediaType(contentType)) differ('content type', head.contentType, contentType);
  if (!inheritsLife && head.ttlMs !== ttlMs) differ('ttlMs', head.ttlMs, ttlMs);
  if (!inheritsLife && head.expiresAt !== expiresAt) differ('expiresAt', head.expiresAt, expiresAt);
  if (fork) {
    if (head.fork?.from !== fork.from) differ('the stream it forked from', head.fork?.from, fork.from);
    const { position = head.fork?.position, bytes = 0 } = fork;
    if (head.fork?.position !== position) differ('fork position', head.fork?.position, position);
    if (head.fork?.bytes !== bytes) differ('fork bytes', head.fork?.bytes, bytes);
  }
  // An open stream that meanwhile ended is still the one that was asked for; the other way round it is not.
  if (options.end !== undefined && head.end === null) differ('state', 'open', 'ended');
  if (token === undefined) return null;
  if (token < head.token) throw new StreamFencedError(head.id, token, head.token);
  return token > head.token ? token : null;
}

/** What a mark changes; `nonce` is the new fence nonce, null when it stays. */
export interface MarkEffect {
  readonly head: StreamHead;
  readonly nonce: string | null;
}

/**
 * Decides a mark without changing anything (PROTOCOL.md, "Marks").
 *
 * @returns The effect, or null when the stream already is as wanted.
 * @throws {@link StreamFencedError} when the token was overtaken.
 */
export function decideMark(state: Pick<LogState, 'head' | 'fenceNonce'>, mark: Mark, now: number): MarkEffect | null {
  const { head } = state;
  switch (mark.type) {
    case 'cancel': {
      if (head.end || head.cancel) return null;
      return {
        head: { ...head, cancel: { requestedAt: now, ...(mark.reason === undefined ? {} : { reason: mark.reason }) } },
        nonce: null,
      };
    }
    case 'lease': {
      const token = mark.token ?? 0;
      if (token < head.token) throw new StreamFencedError(head.id, token, head.token);
      if (head.end) return null;
      const durationMs = mark.durationMs === undefined ? (head.lease?.durationMs ?? null) : mark.durationMs;
      if (durationMs === null) return head.lease ? { head: { ...head, lease: null }, nonce: null } : null;
      return { head: { ...head, lease: { durationMs, beat: (head.lease?.beat ?? 0) + 1 } }, nonce: null };
    }
    case 'fence': {
      if (mark.token > head.token) return { head: { ...head, token: mark.token }, nonce: mark.nonce };
      if (mark.token === head.token && state.fenceNonce === mark.nonce) return null;
      throw new StreamFencedError(head.id, mark.token, head.token);
    }
  }
}

/**
 * True once a stream counts as absent (PROTOCOL.md, "Expiry").
 *
 * @param touchedAt Time of the last read or write, in ms since the Unix epoch.
 */
export function isExpired(head: StreamHead, touchedAt: number, now: number): boolean {
  if (head.expiresAt !== null && now >= head.expiresAt) return true;
  return head.ttlMs !== null && now >= touchedAt + head.ttlMs;
}

// No line break may pass: the content type becomes an HTTP header.
const CONTENT_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\t ]*(?:;[\t\x20-\x7e]*)?$/;

/** @throws {@link InvalidArgumentError} naming the first option that no store could honour. */
export function assertCreateOptions(options: CreateOptions): void {
  assertObject('options', options);
  const { contentType = JSON_CONTENT_TYPE, ttlMs, expiresAt, leaseMs, owner, token, records, end, fork } = options;
  if (typeof contentType !== 'string' || !CONTENT_TYPE.test(contentType)) {
    throw new InvalidArgumentError(
      'contentType',
      `\`contentType\` must be a media type such as 'application/json'; got ${quote(contentType)}.`,
    );
  }
  if (ttlMs !== undefined) assertCounter('ttlMs', ttlMs);
  if (expiresAt !== undefined) assertCounter('expiresAt', expiresAt);
  if (ttlMs !== undefined && expiresAt !== undefined) {
    throw new InvalidArgumentError('expiresAt', 'Pass `ttlMs` or `expiresAt`, not both.');
  }
  if (leaseMs !== undefined) assertPositive('leaseMs', leaseMs);
  if (owner !== undefined) assertName('owner', owner);
  if (token !== undefined) assertCounter('token', token);
  if (end !== undefined) assertEnd(end);
  if (fork !== undefined) assertForkOptions(fork);
  if (records === undefined) return;
  assertRecords(records);
  // The content type of a fork may be known only from its source.
  if (fork && options.contentType === undefined) return;
  if (!payloadsFit(records, contentType)) {
    throw new InvalidArgumentError('records', `The records do not fit content type ${quote(contentType)}.`);
  }
}

/** @throws {@link InvalidArgumentError} unless the mark is well formed. */
export function assertMark(mark: Mark): void {
  assertObject('mark', mark);
  switch (mark.type) {
    case 'cancel':
      if (mark.reason !== undefined) assertText('reason', mark.reason);
      return;
    case 'lease':
      if (mark.token !== undefined) assertCounter('token', mark.token);
      if (mark.durationMs !== undefined && mark.durationMs !== null) assertPositive('durationMs', mark.durationMs);
      return;
    case 'fence':
      assertCounter('token', mark.token);
      assertName('nonce', mark.nonce);
      return;
    default:
      throw new InvalidArgumentError('mark', `A mark's type is 'cancel', 'lease' or 'fence'; got ${quote(mark)}.`);
  }
}
