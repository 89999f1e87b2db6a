import type { RawData } from 'ws';

import { quote } from '../errors.ts';
import { Refusal } from './routes.ts';

/** What a client may send over a socket, as a JSON object. */
export type Command =
  /** Starts the actor of the URL. With a `window`, at most so many chunks are sent beyond the last one acknowledged. */
  | { readonly action: 'start'; readonly input?: unknown; readonly window?: number }
  /** Follows a run after the chunk with this cursor; without one from the beginning. */
  | {
      readonly action: 'resume';
      readonly streamId?: string;
      readonly cursor?: string | null;
      readonly window?: number;
    }
  /** Asks the run to stop. Its last chunk still comes. */
  | { readonly action: 'cancel'; readonly reason?: string }
  /** The chunk with this cursor, and all before it, were processed. */
  | { readonly action: 'ack'; readonly cursor: string };

const MAX_REASON_LENGTH = 1_024;

/** @throws {@link Refusal} 400 naming what is wrong. */
export function parseCommand(data: RawData, isBinary: boolean): Command {
  const text = Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
  const value = isBinary ? null : parse(text);
  if (typeof value !== 'object' || value === null) throw wrong(`A command must be a JSON object; got ${quote(text)}.`);
  const command = value as Record<string, unknown>;
  optional(command, 'streamId', 'string');
  optional(command, 'cursor', 'string');
  optional(command, 'reason', 'string');
  const { window, reason } = command;
  if (window !== undefined && !(Number.isSafeInteger(window) && Number(window) > 0))
    throw wrong(`\`window\` must be a whole number from 1; got ${quote(window)}.`);
  if (typeof reason === 'string' && reason.length > MAX_REASON_LENGTH)
    throw wrong(`\`reason\` may have ${MAX_REASON_LENGTH} characters; got ${reason.length}.`);
  switch (command['action']) {
    case 'ack':
      if (command['cursor'] === undefined) throw wrong('An `ack` needs the `cursor` of the chunk.');
      return command as unknown as Command;
    case 'start':
    case 'resume':
    case 'cancel':
      return command as unknown as Command;
    default:
      throw wrong(`\`action\` must be "start", "resume", "cancel" or "ack"; got ${quote(command['action'])}.`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function optional(command: Record<string, unknown>, name: string, type: string): void {
  const value = command[name];
  if (value !== undefined && typeof value !== type) throw wrong(`\`${name}\` must be a ${type}; got ${quote(value)}.`);
}

function wrong(message: string): Refusal {
  return new Refusal(400, 'INVALID_ARGUMENT', message);
}
