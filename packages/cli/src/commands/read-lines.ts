import type { Readable } from 'node:stream';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * The lines of a stream as bytes, without their ends (`\n` or `\r\n`); the last one need not have one. Ends early once `signal` fires.
 *
 * Bytes, because what is not UTF-8 must be noticed, not replaced.
 */
export async function* readLines(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = (): void => void input.destroy();
  if (signal.aborted) return;
  signal.addEventListener('abort', stop, { once: true });
  let rest: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      let start = 0;
      for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, start)) {
        const line = bytes.subarray(start, at);
        yield withoutReturn(rest.length === 0 ? line : Buffer.concat([rest, line]));
        rest = new Uint8Array();
        start = at + 1;
      }
      if (start < bytes.length) rest = Buffer.concat([rest, bytes.subarray(start)]);
    }
  } catch (error) {
    // Destroying the input fails its iteration.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  // Half a line that somebody was typing when they pressed Ctrl-C was not finished.
  if (rest.length > 0 && !signal.aborted) yield withoutReturn(rest);
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
