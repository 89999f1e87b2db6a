import { createParser, type ParseError } from 'eventsource-parser';

/** A server-sent event as it was received. */
export interface ParsedSseEvent {
  /** `message` where the sender named none, as `EventSource` has it. */
  readonly event: string;
  /** The id the event itself carried; undefined when it had none. */
  readonly id: string | undefined;
  readonly data: string;
}

/** Options of {@link createSseDecoder} and {@link parseSse}. */
export interface SseParseOptions {
  /** Longest event in UTF-16 code units. A longer one fails the parse, so that a hostile sender cannot fill the memory. @default 64 Mi */
  readonly maxEventLength?: number;
  /** Is told of comments, which is how heartbeats arrive. */
  readonly onComment?: (comment: string) => void;
  /** Is told of reconnection times in ms that the sender asks for. */
  readonly onRetry?: (ms: number) => void;
}

/** An incremental parser: bytes in, events out. */
export interface SseDecoder {
  /**
   * Takes the next bytes and returns the events they complete.
   *
   * @throws RangeError once an event is longer than `maxEventLength`.
   */
  push(bytes: Uint8Array): ParsedSseEvent[];
}

const DEFAULT_MAX_EVENT_LENGTH = 67_108_864;

/** Creates a parser for one response body. An event that the body cuts off is never reported. */
export function createSseDecoder({
  maxEventLength = DEFAULT_MAX_EVENT_LENGTH,
  onComment,
  onRetry,
}: SseParseOptions = {}): SseDecoder {
  const decoder = new TextDecoder();
  /** Collects what one push completes; replaced by each push so that returned arrays stay the caller's. */
  let events: ParsedSseEvent[] = [];
  let failure: ParseError | null = null;
  const parser = createParser({
    maxBufferSize: maxEventLength,
    onEvent: ({ event = 'message', id, data }) => events.push({ event, id, data }),
    onError: (error) => {
      // Unknown fields and the like are to be ignored, by the standard.
      if (error.type === 'max-buffer-size-exceeded') failure = error;
    },
    ...(onComment && { onComment }),
    ...(onRetry && { onRetry }),
  });
  return {
    push(bytes) {
      events = [];
      if (!failure) parser.feed(decoder.decode(bytes, { stream: true }));
      if (failure)
        throw new RangeError(
          `A server-sent event is longer than ${maxEventLength} characters. Raise \`maxEventLength\`, or ask for smaller events.`,
          { cause: failure },
        );
      return events;
    },
  };
}

/**
 * Parses a response body. Leaving the iteration cancels the body. The iteration ends when the body does; whether that was the stream's end
 * is for the events to say.
 *
 * @throws RangeError for an event longer than `maxEventLength`, and whatever reading the body throws.
 * @example
 * for await (const { event, data } of parseSse(response.body)) if (event === 'data') console.log(JSON.parse(data));
 */
export async function* parseSse(
  body: ReadableStream<Uint8Array>,
  options: SseParseOptions = {},
): AsyncGenerator<ParsedSseEvent, void, undefined> {
  const decoder = createSseDecoder(options);
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* decoder.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
