import type { StreamEnd, StreamError } from '@perennial/core';
import {
  type ConnectionHandlers,
  type ConnectionState,
  connectStore,
  connectStream,
  type ReceivedRecord,
  type StreamConnection,
} from '@perennial/core/client';

import { EXIT, type ExitCode, stoppedCode } from '../exit-codes.ts';
import type { Target } from '../target/open-target.ts';
import { paint } from '../terminal/messages.ts';
import { printable, printableLines } from '../terminal/printable.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { parseExact } from './exact-json.ts';
import { endObject, rawValue, type RecordFormat, recordObject, valueLine } from './format-record.ts';
import { describeEnd, exitCodeOfEnd } from './show-head.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial tail`. */
export interface TailFlags extends CommonFlags {
  readonly from?: number | 'now' | undefined;
  readonly last?: number | undefined;
  /** False with `--no-follow`. */
  readonly follow: boolean;
  readonly raw?: true | undefined;
  readonly json?: true | undefined;
  /** Seconds. */
  readonly wait?: number | undefined;
}

/** Pauses between attempts stay short: somebody is looking. */
const MAX_PAUSE_MS = 5_000;

/** Shows a stream from any position, live, until its end, and goes on after the server was away. */
export function tail(context: CommandContext, streamId: string, flags: TailFlags): Promise<ExitCode> {
  return withTarget(context, { flags, access: 'read', watchesSignal: true }, async (target) => {
    const outcome = await follow({ context, target, streamId, flags });
    switch (outcome.type) {
      case 'failed':
        throw outcome.error;
      case 'ended':
        await writeEnd(context, flags, outcome);
        return exitCodeOfEnd(outcome.end);
      case 'caught-up':
        return EXIT.ok;
      case 'stopped':
        if (flags.raw && context.output.isTty) await context.output.write('\n');
        context.messages.note(`Stopped; the stream is still open. Go on with --from ${outcome.position}.`);
        return stoppedCode(context.signal);
    }
  });
}

type Outcome =
  | { readonly type: 'ended'; readonly end: StreamEnd; readonly position: number }
  | { readonly type: 'failed'; readonly error: StreamError }
  | { readonly type: 'caught-up' }
  | { readonly type: 'stopped'; readonly position: number };

interface Following {
  readonly context: CommandContext;
  readonly target: Target;
  readonly streamId: string;
  readonly flags: TailFlags;
}

function follow({ context, target, streamId, flags }: Following): Promise<Outcome> {
  const { messages, signal } = context;
  const format: RecordFormat = flags.json ? 'json' : flags.raw ? 'raw' : 'lines';
  const note = createStateNotes(messages.note);
  return new Promise((resolve) => {
    // Position after what was written: the connection only counts whole deliveries.
    let written: number | null = null;
    let connected = false;
    let finished = false;
    const finish = (outcome: Outcome): void => {
      finished = true;
      signal.removeEventListener('abort', stop);
      connection.close();
      resolve(outcome);
    };
    const stop = (): void => finish({ type: 'stopped', position: written ?? connection.state.position ?? 0 });
    const onRecords = async (records: readonly ReceivedRecord[]): Promise<void> => {
      for (const record of records) {
        if (finished) return;
        await writeRecord(context, format, record);
        written = record.position + 1;
      }
    };
    const onState = (state: ConnectionState): void => {
      connected ||= state.incarnation !== null;
      const outcome = outcomeOf(state, { connected, follow: flags.follow });
      if (outcome) finish(outcome);
      else note(state);
    };
    const connection = connect({ target, streamId, flags }, { onRecords, onState });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function connect(
  { target, streamId, flags }: Omit<Following, 'context'>,
  handlers: ConnectionHandlers,
): StreamConnection {
  const options = {
    ...handlers,
    from: flags.last === undefined ? (flags.from ?? 0) : { last: flags.last },
    waitForCreateMs: (flags.wait ?? 0) * 1_000,
    reconnect: { maxMs: MAX_PAUSE_MS },
    parseJson: parseExact,
  };
  if (target.endpoint) return connectStream({ ...target.endpoint(streamId), ...options });
  return connectStore({ store: target.store, streamId, ...options });
}

/** What a state of the connection means for the command; null: it goes on. */
function outcomeOf(
  { phase, end, error, upToDate, position }: ConnectionState,
  { connected, follow }: { readonly connected: boolean; readonly follow: boolean },
): Outcome | null {
  if (phase === 'ended' && end) return { type: 'ended', end, position: position ?? 0 };
  if (phase === 'failed' && error) return { type: 'failed', error };
  // Whoever never got through has more likely mistyped the address than met a server that restarts.
  if (phase === 'waiting' && error && !connected) return { type: 'failed', error };
  return upToDate && !follow ? { type: 'caught-up' } : null;
}

async function writeRecord(
  { io, output, messages }: CommandContext,
  format: RecordFormat,
  record: ReceivedRecord,
): Promise<void> {
  const safe = output.isTty ? printable : (text: string): string => text;
  if (format === 'json') {
    await output.line(safe(JSON.stringify(recordObject(record))));
  } else if (record.kind === 'supersede') {
    messages.note(`Retracted: what step ${record.step} wrote before attempt ${record.belowAttempt}.`);
  } else if (format === 'raw') {
    const value = rawValue(record.value);
    await output.write(output.isTty && typeof value === 'string' ? printableLines(value) : value);
  } else {
    const position = output.isTty ? `${paint(io.stdout, 'dim', String(record.position).padStart(5))}  ` : '';
    await output.line(position + safe(valueLine(record.value)));
  }
}

async function writeEnd(
  { output, messages }: CommandContext,
  flags: TailFlags,
  { end, position }: { readonly end: StreamEnd; readonly position: number },
): Promise<void> {
  if (flags.json) await output.line(JSON.stringify(endObject(end, position)));
  else if (flags.raw && output.isTty) await output.write('\n');
  messages.note(`The stream ended at position ${position}: ${describeEnd(end)}.`);
}

/** Tells, once each, that the connection broke and came back, that the producer went quiet, and that somebody wants it to stop. */
function createStateNotes(note: (text: string) => void): (state: ConnectionState) => void {
  let awaited = false;
  let away = false;
  let stalled = false;
  let cancelRequested = false;
  return (state) => {
    if (state.phase === 'waiting' && !state.error && !awaited) {
      awaited = true;
      note('Waiting for the stream.');
    } else if (state.phase === 'waiting' && state.error && !away) {
      away = true;
      note(`The connection was lost (${state.error.message}); trying again.`);
    } else if (state.phase === 'open' && away) {
      away = false;
      note(`Connected again, at position ${state.position ?? 0}.`);
    }
    if (state.stalled !== stalled) {
      stalled = state.stalled;
      note(stalled ? 'The producer shows no sign of life.' : 'The producer is back.');
    }
    if (state.cancelRequested && !cancelRequested) {
      cancelRequested = true;
      note('Somebody asked the producer to stop.');
    }
  };
}
