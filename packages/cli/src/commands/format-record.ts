import { Buffer } from 'node:buffer';

import type { StreamEnd } from '@perennial/core';
import type { ReceivedData, ReceivedRecord } from '@perennial/core/client';

/** How `tail` writes records. */
export type RecordFormat = 'lines' | 'raw' | 'json';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value as one line of JSON: bytes as a string where they are UTF-8, else as base64. */
export function valueLine(value: unknown): string {
  if (!(value instanceof Uint8Array)) return JSON.stringify(value);
  try {
    return JSON.stringify(decoder.decode(value));
  } catch {
    return JSON.stringify(`base64:${Buffer.from(value).toString('base64')}`);
  }
}

/** The value and nothing else: strings and bytes as they are, other values as JSON on a line of their own. */
export function rawValue(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  return `${JSON.stringify(value)}\n`;
}

/** A record as one JSON object. */
export function recordObject(record: ReceivedRecord): Readonly<Record<string, unknown>> {
  if (record.kind === 'supersede') {
    const { position, timestamp, step, belowAttempt } = record;
    return { type: 'supersede', position, timestamp, step, belowAttempt };
  }
  const { position, timestamp, step, attempt } = record;
  return { type: 'data', position, timestamp, ...valueFields(record), ...(step !== undefined && { step, attempt }) };
}

/** An end as one JSON object. */
export function endObject(end: StreamEnd, position: number): Readonly<Record<string, unknown>> {
  const { outcome, error, reason } = end;
  return {
    type: 'end',
    position,
    outcome,
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(reason !== undefined && { reason }),
  };
}

function valueFields({ value }: ReceivedData): Readonly<Record<string, unknown>> {
  if (!(value instanceof Uint8Array)) return { value };
  try {
    return { text: decoder.decode(value) };
  } catch {
    return { base64: Buffer.from(value).toString('base64') };
  }
}
