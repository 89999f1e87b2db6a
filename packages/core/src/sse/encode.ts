/** A server-sent event to encode. */
export interface SseEvent {
  /** Event name. @default 'message', by the recipient */
  readonly event?: string;
  /** Becomes the recipient's last event id. May not contain a line break or NUL. */
  readonly id?: string;
  /** Payload. Line breaks of any kind arrive as `\n`. */
  readonly data: string;
}

const LINE_BREAK = /\r\n|\r|\n/;
const UNSAFE_FIELD = /[\r\n\0]/;

/**
 * Encodes one event, with its closing blank line.
 *
 * @throws RangeError when `event` or `id` contains a line break or NUL: they would become fields, or events, of their own.
 */
export function encodeSseEvent({ event, id, data }: SseEvent): string {
  if (event !== undefined) assertField('event', event);
  if (id !== undefined) assertField('id', id);
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${dataLines(data)}\n`;
}

/** Encodes a comment, which recipients ignore: a heartbeat keeps proxies from closing an idle response. */
export function encodeSseComment(text = ''): string {
  return `:${text.replaceAll(/[\r\n]/g, ' ')}\n\n`;
}

function dataLines(data: string): string {
  if (!data.includes('\n') && !data.includes('\r')) return dataLine(data);
  return data.split(LINE_BREAK).map(dataLine).join('');
}

function dataLine(line: string): string {
  // Recipients strip one space after the colon: a line of its own leading space needs a second one to keep it.
  return line.startsWith(' ') ? `data: ${line}\n` : `data:${line}\n`;
}

function assertField(name: string, value: string): void {
  if (UNSAFE_FIELD.test(value))
    throw new RangeError(
      `The \`${name}\` of an event may not contain a line break or NUL; got ${JSON.stringify(value)}.`,
    );
}
