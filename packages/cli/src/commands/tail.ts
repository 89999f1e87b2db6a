import type { StreamEnd, StreamError } from '@perennial/core';
import {
  type ConnectionState,
  connectStore,
  connectStream,
  type ReceivedRecord,
  type StreamConnection,
} from '@perennial/core/client';

import { EXIT, type ExitCode } from '../exit-codes.ts';
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
  return withTarget(context, { flags, access: 'read' }, async (target) => {
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
        context.messages.note(`Stopped; the stream is still open. Go on with --from ${outcome.position}.`);
        return context.signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
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
  return new Promise((resolve) => {
    const watcher = createStateNotes(messages.note);
    let connected = false;
    // Position after what was written: the connection only counts whole deliveries.
    let position: number | null = null;
    let stopped = false;
    const finish = (outcome: Outcome): void => {
      stopped = true;
      signal.removeEventListener('abort', stop);
      connection.close();
      resolve(outcome);
    };
    const stop = (): void => finish({ type: 'stopped', position: position ?? connection.state.position ?? 0 });
    const options = {
      from: flags.last === undefined ? (flags.from ?? 0) : { last: flags.last },
      waitForCreateMs: (flags.wait ?? 0) * 1_000,
      reconnect: { maxMs: MAX_PAUSE_MS },
      parseJson: parseExact,
      onRecords: async (records: readonly ReceivedRecord[]) => {
        for (const record of records) {
          if (stopped) return;
          await writeRecord(context, format, record);
          position = record.position + 1;
        }
      },
      onState: (state: ConnectionState) => {
        connected ||= state.incarnation !== null;
        const { phase, end, error, upToDate, position } = state;
        if (phase === 'ended' && end) finish({ type: 'ended', end, position: position ?? 0 });
        // Whoever never got through has more likely mistyped the address than met a server that restarts.
        else if (error && (phase === 'failed' || (phase === 'waiting' && !connected)))
          finish({ type: 'failed', error });
        else if (upToDate && !flags.follow) finish({ type: 'caught-up' });
        else watcher(state);
      },
    };
    const connection: StreamConnection = target.endpoint
      ? connectStream({ ...target.endpoint(streamId), ...options })
      : connectStore({ store: target.store, streamId, ...options });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
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
