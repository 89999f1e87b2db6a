import {
  AppendQueue,
  type AppendLane,
  JSON_CONTENT_TYPE,
  type StreamError,
  type StreamHead,
  StreamNotFoundError,
  type StreamStore,
} from '@perennial/core';

import { CliError } from '../errors.ts';
import { EXIT, type ExitCode, stoppedCode } from '../exit-codes.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { readLines } from './read-lines.ts';
import { toRecordData } from './record-data.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial append`. */
export interface AppendFlags extends CommonFlags {
  readonly json?: true | undefined;
  readonly close?: true | undefined;
  readonly producer?: string | undefined;
  readonly contentType?: string | undefined;
  /** False with `--no-create`. */
  readonly create: boolean;
}

/** Bounds what is read from standard input and not stored yet. */
const HIGH_WATER_MARK = 4_096;
const HIGH_WATER_MARK_BYTES = 4_194_304;
const PATIENCE_MS = 1_000;

/**
 * Appends one value, or each line of standard input as one record. Records are numbered from 0 under the producer's id: whatever is
 * repeated, by this process after a lost answer or by a second run with the same `--producer` and input, is stored once.
 */
export function append(
  context: CommandContext,
  { streamId, value }: { readonly streamId: string; readonly value: string | undefined },
  flags: AppendFlags,
): Promise<ExitCode> {
  const reads = value === '-' || (value === undefined && !(flags.close && context.io.stdin.isTTY));
  return withTarget(context, { flags, access: 'write', watchesSignal: true }, async ({ store }) => {
    const contentType = await contentTypeOf(store, streamId, flags);
    const producerId = flags.producer ?? crypto.randomUUID();
    const before = flags.producer === undefined ? 0 : await storedBefore(store, streamId, producerId);
    const seen: { head: StreamHead | null } = { head: null };
    const queue = new AppendQueue({
      store,
      streamId,
      contentType,
      open: () => open(store, streamId, { contentType, create: flags.create }),
      highWaterMark: HIGH_WATER_MARK,
      highWaterMarkBytes: HIGH_WATER_MARK_BYTES,
      onHead: (head) => (seen.head = head),
    });
    const run = { context, queue, lane: queue.lane(producerId, 0), contentType, flags };
    if (reads && context.io.stdin.isTTY) context.messages.note('Each line becomes a record. Ctrl-D ends.');
    const given = value === undefined || reads ? [] : [Buffer.from(value)];
    await pushAll(run, reads ? readLines(context.io.stdin, context.signal) : given, { named: reads });
    const interrupted = context.signal.aborted;
    const late = setTimeout(() => {
      if (context.signal.aborted) context.messages.note('Storing what was read; Ctrl-C once more leaves it.');
    }, PATIENCE_MS).unref();
    if (flags.close && !interrupted) check(run, await queue.push(run.lane, null, { outcome: 'completed' }));
    check(run, await queue.open());
    check(run, await queue.flush(run.lane));
    clearTimeout(late);
    report(run, { streamId, before, head: seen.head, interrupted });
    return interrupted ? stoppedCode(context.signal) : EXIT.ok;
  });
}

interface Run {
  readonly context: CommandContext;
  readonly queue: AppendQueue;
  readonly lane: AppendLane;
  readonly contentType: string;
  readonly flags: AppendFlags;
}

async function pushAll(
  run: Run,
  values: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { named }: { readonly named: boolean },
): Promise<void> {
  let line = 0;
  for await (const bytes of values) {
    line++;
    const parsed = toRecordData(bytes, { contentType: run.contentType, json: run.flags.json === true, isLine: named });
    if (parsed.type === 'blank') continue;
    if (parsed.type === 'invalid') {
      // What came before is in order: it is stored before the command fails.
      check(run, await run.queue.flush(run.lane));
      const where = named ? `Line ${line}` : 'The value';
      const count = run.lane.storedSeq;
      const stored = count === 0 ? 'Nothing was stored.' : `${records(count)} before it ${are(count)} stored.`;
      throw new CliError('INPUT', `${where} ${parsed.problem}. ${stored}`);
    }
    check(run, await run.queue.push(run.lane, { data: parsed.data }));
  }
}

function check({ lane, flags, context }: Run, failure: StreamError | null): void {
  if (!failure) return;
  if (lane.storedSeq > 0)
    context.messages.note(`${records(lane.storedSeq)} ${lane.storedSeq === 1 ? 'was' : 'were'} stored before this:`);
  if (failure.retryable && flags.producer !== undefined)
    context.messages.note('Run the same command again: what is stored already is not stored twice.');
  throw failure;
}

interface Report {
  readonly streamId: string;
  readonly before: number;
  readonly head: StreamHead | null;
  readonly interrupted: boolean;
}

function report({ context, lane, flags }: Run, { streamId, before, head, interrupted }: Report): void {
  const ended = flags.close === true && !interrupted;
  const total = lane.nextSeq - (ended ? 1 : 0);
  const known = Math.min(total, before);
  const parts = [`Appended ${records(total - known)} to ${streamId}`];
  if (known > 0) parts.push(`${records(known)} ${known === 1 ? 'was' : 'were'} there already`);
  if (ended) parts.push('the stream is closed now');
  else if (head) parts.push(`the next position is ${head.nextPosition}`);
  context.messages.note(`${parts.join('; ')}.`);
}

function are(count: number): string {
  return count === 1 ? 'is' : 'are';
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}

async function contentTypeOf(store: StreamStore, streamId: string, { contentType }: AppendFlags): Promise<string> {
  if (contentType !== undefined) return contentType;
  const head = await store.head(streamId);
  return head?.contentType ?? JSON_CONTENT_TYPE;
}

async function storedBefore(store: StreamStore, streamId: string, producerId: string): Promise<number> {
  if (!(await store.head(streamId))) return 0;
  return (await store.producer(streamId, producerId))?.nextSeq ?? 0;
}

async function open(
  store: StreamStore,
  streamId: string,
  { contentType, create }: { readonly contentType: string; readonly create: boolean },
): Promise<StreamHead> {
  if (create) return (await store.create(streamId, { contentType })).head;
  const head = await store.head(streamId);
  if (!head) throw new StreamNotFoundError(streamId);
  return head;
}
