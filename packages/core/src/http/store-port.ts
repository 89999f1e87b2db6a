import { assertCreateOptions } from '../log/head-rules.ts';
import type { StreamHead } from '../log/head.ts';
import type { NewRecord } from '../log/record.ts';
import type { ListOptions } from '../log/store.ts';
import { type StreamHttpAnswer, jsonAnswer } from './answer.ts';
import { decodeUtf8, readBody } from './body.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import type { RoutedRequest } from './http-request.ts';
import { isJson, splitJson } from './json-array.ts';
import { exceeds, recordTooLarge, tooDeep, tooManyRecords } from './payload.ts';
import { badRequest, HttpProblem } from './problem.ts';
import { parseCount, type Query } from './query.ts';
import { decodeEnd } from './request-headers.ts';
import { assertServing } from './sse-response.ts';
import { toWireEnd } from './state.ts';
import { decodeAppendRequest, decodeCreateOptions, decodeMark, encodeStoreRecord } from './store-codec.ts';
import { PARAM } from './wire.ts';

/** Most records and bytes that one answer holds, whatever was asked for. */
const MAX_LIMIT = 100_000;
const MAX_BYTES = 16_777_216;

const NO_STORE = { 'Cache-Control': 'no-store' };

/** `PUT {stream}?perennial-create`: {@link StreamStore.create} (PROTOCOL.md, "The store port over HTTP"). */
export async function handleStoreCreate(
  { guard, store, limits, quota }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'create', 'mark');
  const options = decodeCreateOptions(await readJson(request, limits.maxBodyBytes), decodeEnd);
  assertCreateOptions(options);
  if (options.fork) await guard(request, options.fork.from, 'read', 'mark');
  assertRecords(options.records ?? [], limits);
  assertJsonTexts(options.records ?? [], limits);
  const { created, head } = await quota.create(id, () => store.create(id, options));
  return json({ created, head }, created ? 201 : 200);
}

/** `POST {stream}?perennial-append`: {@link StreamStore.append}. */
export async function handleStoreAppend(
  { guard, store, limits }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'append', 'mark');
  const append = decodeAppendRequest(await readJson(request, limits.maxBodyBytes), decodeEnd);
  const records = append.segments.flatMap((segment) => segment.records);
  assertRecords(records, limits);
  assertJsonTexts(records, limits);
  return json(await store.append(id, append));
}

/** `POST {stream}?perennial-mark`: {@link StreamStore.mark}. */
export async function handleStoreMark(
  { guard, store, limits }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'mark');
  const mark = decodeMark(await readJson(request, limits.maxBodyBytes));
  if (mark.type === 'cancel') await guard(request, id, 'cancel');
  return json({ head: await store.mark(id, mark) });
}

/** `GET {stream}?perennial-view=store`: {@link StreamStore.read}, `head`, `producer` and `wait`. */
export async function handleStoreRead(context: HandlerContext, stream: StreamRequest): Promise<StreamHttpAnswer> {
  const { query, request, id } = stream;
  await context.guard(request, id, 'read', 'mark');
  const { store } = context;
  if (query.has(PARAM.head)) return json({ head: await store.head(id) });
  const producer = query.text(PARAM.producer);
  if (producer !== undefined) return json({ producer: await store.producer(id, producer) });
  const wait = query.text(PARAM.wait);
  if (wait !== undefined) return storeWait(context, stream, wait);
  const from = query.count(PARAM.from);
  if (from === undefined)
    throw badRequest(
      PARAM.from,
      `The store view needs \`${PARAM.from}\`, \`${PARAM.head}\`, \`${PARAM.producer}\` or \`${PARAM.wait}\`.`,
    );
  const { records, head } = await store.read(id, {
    from,
    ...bounded(query, 'limit', MAX_LIMIT),
    ...bounded(query, 'maxBytes', MAX_BYTES),
  });
  return json({ records: records.map(encodeStoreRecord), head });
}

/** `GET {base}?perennial-list`: {@link StreamStore.list}; with `perennial-view=store` the heads are whole. */
export async function handleStoreList(
  { guard, store }: HandlerContext,
  { request, query }: { readonly request: RoutedRequest; readonly query: Query },
): Promise<StreamHttpAnswer> {
  const prefix = query.text(PARAM.prefix) ?? '';
  const view = query.text(PARAM.view);
  if (view !== undefined && view !== 'store')
    throw badRequest(PARAM.view, `A list has the view 'store', or none; got ${JSON.stringify(view.slice(0, 40))}.`);
  await (view === 'store' ? guard(request, prefix, 'list', 'mark') : guard(request, prefix, 'list'));
  const after = query.text(PARAM.after);
  const options: ListOptions = { prefix, ...(after !== undefined && { after }), ...bounded(query, 'limit', MAX_LIMIT) };
  const { streams, next } = await store.list(options);
  return json({ streams: view === 'store' ? streams : streams.map(publicHead), ...(next !== undefined && { next }) });
}

async function storeWait(
  context: HandlerContext,
  { request, query, id }: StreamRequest,
  wait: string,
): Promise<StreamHttpAnswer> {
  assertServing(context);
  const { store, limits, closing } = context;
  const position = wait === 'end' ? Infinity : parseCount(PARAM.wait, wait);
  const timeoutMs = Math.min(query.count(PARAM.timeoutMs) ?? limits.longPollMs, limits.longPollMs);
  const signal = closing ? AbortSignal.any([request.signal, closing]) : request.signal;
  const release = context.slots.take(id);
  try {
    return json({
      head: await store.wait(id, { position, cancel: query.text(PARAM.cancel) === 'true', timeoutMs, signal }),
    });
  } catch (error) {
    if (signal.aborted) throw new HttpProblem(503, 'STORE_ERROR', 'The server is closing; try again.');
    throw error;
  } finally {
    release();
  }
}

/** A head for whoever may list streams. */
function publicHead({
  id,
  incarnation,
  contentType,
  createdAt,
  firstPosition,
  nextPosition,
  end,
  cancel,
  ttlMs,
  expiresAt,
}: StreamHead): unknown {
  return {
    id,
    incarnation,
    contentType,
    createdAt,
    firstPosition,
    nextPosition,
    end: end && toWireEnd(end),
    cancelRequested: cancel !== null,
    ttlMs,
    expiresAt,
  };
}

function bounded(
  query: Query,
  name: 'limit' | 'maxBytes',
  most: number,
): { readonly limit?: number; readonly maxBytes?: number } {
  const value = query.count(PARAM[name]);
  return value === undefined ? {} : { [name]: Math.min(value, most) };
}

async function readJson(request: RoutedRequest, maxBytes: number): Promise<unknown> {
  const text = decodeUtf8(await readBody(request, maxBytes));
  if (!isJson(text)) throw badRequest('body', 'The body is not valid JSON.');
  return JSON.parse(text);
}

function assertRecords(records: readonly NewRecord[], limits: HandlerContext['limits']): void {
  if (records.length > limits.maxBatchRecords) throw tooManyRecords(limits);
  for (const record of records) {
    if (record.kind === 'supersede') continue;
    const { data } = record;
    if (typeof data === 'string' ? exceeds(data, limits.maxRecordBytes) : data.byteLength > limits.maxRecordBytes)
      throw recordTooLarge(limits);
  }
}

/** One text that is no JSON would make every page it is on unreadable for everybody. */
function assertJsonTexts(records: readonly NewRecord[], limits: HandlerContext['limits']): void {
  for (const record of records) {
    if (record.kind === 'supersede' || typeof record.data !== 'string') continue;
    if (splitJson(record.data).depth > limits.maxJsonDepth) throw tooDeep(limits);
    if (!isJson(record.data))
      throw badRequest('data', `\`data\` must be a JSON text; got ${JSON.stringify(record.data.slice(0, 40))}.`);
  }
}

function json(value: unknown, status = 200): StreamHttpAnswer {
  return jsonAnswer(status, JSON.stringify(value), NO_STORE);
}
