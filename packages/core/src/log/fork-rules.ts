import { assertCounter, assertObject } from './arguments.ts';
import { isJsonContentType, mediaType, payloadsFit } from './codec.ts';
import { InvalidArgumentError, quote, StreamError, StreamGapError } from './errors.ts';
import type { ForkOrigin, StreamHead } from './head.ts';
import type { NewRecord, StreamRecord } from './record.ts';
import type { CreateOptions, ForkOptions } from './store.ts';
import { assertStreamId } from './stream-id.ts';

/** Longest line of forks of forks. The first read at its beginning looks at each of them. */
export const MAX_FORK_DEPTH = 1_000;

/** Where a stream forks off its source. */
export interface ForkPoint {
  readonly origin: ForkOrigin;
  /** Earliest record that the source retains. */
  readonly firstPosition: number;
}

/** @throws {@link InvalidArgumentError} unless the options of a fork are well formed. */
export function assertForkOptions(fork: ForkOptions): void {
  assertObject('fork', fork);
  assertStreamId(fork.from, 'fork.from');
  if (fork.position !== undefined) assertCounter('fork.position', fork.position);
  if (fork.bytes !== undefined) assertCounter('fork.bytes', fork.bytes);
  if (fork.bytes && fork.position === undefined)
    throw new InvalidArgumentError(
      'fork.bytes',
      '`fork.bytes` is a part of the record at `fork.position`, which is missing.',
    );
}

/**
 * Decides where a stream forks off its source (PROTOCOL.md, "Forks"). What was decided holds while the source is pinned: positions only
 * grow, and a pinned source is not trimmed.
 *
 * @param source The source's head, read when it was pinned or later.
 * @param options Options that passed `assertCreateOptions`.
 * @throws `CONTENT_TYPE` when the fork is to have another one; {@link StreamGapError} when retention took the records before the fork
 *   position; {@link InvalidArgumentError} for a position beyond the tail, and for bytes of a JSON stream; `LIMIT_EXCEEDED` beyond
 *   {@link MAX_FORK_DEPTH}.
 */
export function decideFork(source: StreamHead, options: CreateOptions & { readonly fork: ForkOptions }): ForkPoint {
  const { contentType = source.contentType, records = [], fork } = options;
  if (mediaType(contentType) !== mediaType(source.contentType))
    throw new StreamError(
      'CONTENT_TYPE',
      `A fork has the content type of its source, which is ${source.contentType}; asked for was ${contentType}.`,
    );
  if (!payloadsFit(records, source.contentType))
    throw new InvalidArgumentError('records', `The records do not fit content type ${quote(source.contentType)}.`);
  const { from, position = source.nextPosition, bytes = 0 } = fork;
  if (position > source.nextPosition)
    throw new InvalidArgumentError(
      'fork.position',
      `The stream to fork is at position ${source.nextPosition}, so it has no position ${position} to fork at.`,
    );
  if (position < source.firstPosition) throw new StreamGapError(from, position, source.firstPosition);
  if (bytes > 0 && isJsonContentType(source.contentType))
    throw new InvalidArgumentError(
      'fork.bytes',
      '`fork.bytes` is for streams of bytes; JSON is forked between values.',
    );
  const depth = (source.fork?.depth ?? 0) + 1;
  if (depth > MAX_FORK_DEPTH)
    throw new StreamError(
      'LIMIT_EXCEEDED',
      `Forks of forks may be ${MAX_FORK_DEPTH} deep, and ${quote(from)} is that already. Fork one of its ancestors.`,
    );
  return {
    origin: { from, incarnation: source.incarnation, position, bytes, depth },
    firstPosition: source.firstPosition,
  };
}

/** What a fork is created with once its source is known: the content type and lifetime that were not asked for are the source's. */
export function forkedOptions(
  source: StreamHead,
  { fork: _fork, ...options }: CreateOptions & { readonly fork: ForkOptions },
): CreateOptions {
  const { contentType = source.contentType, ttlMs, expiresAt } = options;
  if (ttlMs !== undefined || expiresAt !== undefined) return { ...options, contentType };
  return {
    ...options,
    contentType,
    ...(source.ttlMs !== null && { ttlMs: source.ttlMs }),
    ...(source.expiresAt !== null && { expiresAt: source.expiresAt }),
  };
}

/**
 * The part of a record that a fork inside it begins with.
 *
 * @throws {@link InvalidArgumentError} when the record is missing or shorter than `bytes`.
 */
export function cutRecord(record: StreamRecord | undefined, { position, bytes }: ForkOrigin): NewRecord {
  const data = record?.kind === 'data' && typeof record.data !== 'string' ? record.data : null;
  if (!record || !data || data.byteLength < bytes)
    throw new InvalidArgumentError(
      'fork.bytes',
      data
        ? `The record at position ${position} has ${data.byteLength} bytes, not ${bytes}.`
        : `There is no record of bytes at position ${position}.`,
    );
  return {
    data: data.slice(0, bytes),
    ...(record.step !== undefined && { step: record.step }),
    ...(record.kind === 'data' && record.attempt !== undefined && { attempt: record.attempt }),
  };
}
