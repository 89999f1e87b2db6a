import { isJsonContentType } from '../log/codec.ts';
import { isStreamGap } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { StreamRecord } from '../log/record.ts';
import type { ReadOptions, ReadResult } from '../log/store.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { formatOffset, parseOffset, type StreamOffset } from './offsets.ts';
import { badRequest } from './problem.ts';
import { HEADER, OFFSET_NOW, OFFSET_START, PARAM, type WireView } from './wire.ts';

/** Where a read wants to start. */
export type ReadStart =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'tail' }
  | { readonly kind: 'last'; readonly count: number }
  | ({ readonly kind: 'offset' } & StreamOffset);

/** A read, understood and checked as far as that goes without the stream. */
export interface ReadRequest {
  readonly view: WireView;
  readonly live: 'no' | 'long-poll' | 'sse';
  readonly start: ReadStart;
  /** Cursor the client echoes. */
  readonly cursor: string | undefined;
  /** True when an `EventSource` resumes by itself: `Last-Event-ID` told where. */
  readonly resumed: boolean;
}

/** The first records of a read. */
export interface OpenedRead {
  /** Position of the first record wanted. */
  readonly from: number;
  /** Bytes of that record to leave out. */
  readonly byte: number;
  readonly records: readonly StreamRecord[];
  readonly head: StreamHead;
}

/** Understands a GET (PROTOCOL.md, "Reading"). Throws a 400 that names the first parameter that makes no sense. */
export function parseReadRequest({ query, request }: StreamRequest): ReadRequest {
  const view = query.text(PARAM.view) ?? 'plain';
  if (view !== 'plain' && view !== 'records')
    throw badRequest(
      PARAM.view,
      `\`${PARAM.view}\` is 'records', or absent; got ${JSON.stringify(view.slice(0, 40))}.`,
    );
  const live = query.text(PARAM.live) ?? 'no';
  if (live !== 'no' && live !== 'long-poll' && live !== 'sse')
    throw badRequest(
      PARAM.live,
      `\`${PARAM.live}\` is 'long-poll' or 'sse', or absent; got ${JSON.stringify(live.slice(0, 40))}.`,
    );
  const lastEventId = live === 'sse' ? request.headers.get(HEADER.lastEventId) : null;
  const offset = query.text(PARAM.offset);
  const last = query.count(PARAM.last);
  if (offset !== undefined && last !== undefined)
    throw badRequest(PARAM.last, `Pass \`${PARAM.offset}\` or \`${PARAM.last}\`, not both.`);
  if (live !== 'no' && offset === undefined && last === undefined && lastEventId === null) {
    throw badRequest(
      PARAM.offset,
      `A live read needs \`${PARAM.offset}\`: '${OFFSET_START}', '${OFFSET_NOW}' or an offset from an earlier answer.`,
    );
  }
  const start = parseStart(offset, last, lastEventId);
  if (start.kind === 'offset' && start.byte > 0 && view === 'records')
    throw badRequest(PARAM.offset, 'The records view cannot start inside a record.');
  return { view, live, start, cursor: query.text(PARAM.cursor), resumed: lastEventId !== null };
}

/** Reads the first records of what was asked for; throws NOT_FOUND, GAP, or a 400 for an offset that this stream cannot have. */
export async function openRead(
  { store }: HandlerContext,
  id: string,
  { start }: ReadRequest,
  limits: Omit<ReadOptions, 'from'>,
): Promise<OpenedRead> {
  const read = (from: number): Promise<ReadResult> => store.read(id, { ...limits, from });
  switch (start.kind) {
    case 'beginning': {
      const page = await readFromBeginning(read);
      return { ...page, from: page.records[0]?.position ?? page.head.nextPosition, byte: 0 };
    }
    case 'tail': {
      const { head } = await read(Number.MAX_SAFE_INTEGER);
      return { from: head.nextPosition, byte: 0, records: [], head };
    }
    case 'last': {
      const { head } = await read(Number.MAX_SAFE_INTEGER);
      const from = Math.max(head.firstPosition, head.nextPosition - start.count);
      return { ...(await read(from)), from, byte: 0 };
    }
    case 'offset': {
      const page = await read(start.position);
      if (start.byte > 0) assertByte(start, page);
      return { ...page, from: start.position, byte: start.byte };
    }
  }
}

/** The beginning is what is left of it: only a reader that resumes can miss what retention removed. */
async function readFromBeginning(read: (from: number) => Promise<ReadResult>): Promise<ReadResult> {
  try {
    return await read(0);
  } catch (error) {
    if (!isStreamGap(error)) throw error;
    return read(error.earliestPosition);
  }
}

function parseStart(offset: string | undefined, last: number | undefined, lastEventId: string | null): ReadStart {
  if (lastEventId !== null) return parseToken(HEADER.lastEventId, lastEventId);
  if (last !== undefined) return { kind: 'last', count: last };
  if (offset === undefined || offset === OFFSET_START) return { kind: 'beginning' };
  if (offset === OFFSET_NOW) return { kind: 'tail' };
  return parseToken(PARAM.offset, offset);
}

function parseToken(name: string, token: string): ReadStart {
  const offset = parseOffset(token);
  if (!offset)
    throw badRequest(
      name,
      `\`${name}\` is no offset of this server: ${JSON.stringify(token.slice(0, 60))}. Use one that an answer gave.`,
    );
  return { kind: 'offset', ...offset };
}

function assertByte({ position, byte }: StreamOffset, { records, head }: ReadResult): void {
  const [record] = records;
  const fits = record?.kind === 'data' && typeof record.data !== 'string' && byte < record.data.byteLength;
  if (isJsonContentType(head.contentType) || !fits)
    throw badRequest(PARAM.offset, `The stream has no offset ${formatOffset(position, byte)}.`);
}
