import { encodeSseComment } from '../sse/encode.ts';
import { isLiveBody, type StreamHttpAnswer } from './answer.ts';
import type { BodySink, LiveBody } from './live-body.ts';
import { encodeSseControl, placeAt, type SseFormat } from './sse-frames.ts';
import { type StreamState, stateKey } from './state.ts';
import type { OpeningWatch } from './unopened.ts';
import { HEADER } from './wire.ts';

/** Options of {@link UnopenedSse}. */
export interface UnopenedSseOptions {
  readonly watch: OpeningWatch;
  readonly format: SseFormat;
  readonly heartbeatMs: number;
  /** When to cut the response, in ms. */
  readonly maxMs: number;
  readonly cursor: () => string;
  /** The response of the stream, now that it is there. */
  readonly open: () => Promise<StreamHttpAnswer>;
  /** Is called once, however the response ends. */
  readonly onClosed: () => void;
  /** Is told of store failures. */
  readonly onError: (error: unknown) => void;
}

const HEARTBEAT = new TextEncoder().encode(encodeSseComment());

/**
 * An SSE response for a stream that its run has not opened yet: tells the state, and goes on as the response of the stream once that is
 * there.
 *
 * States: waiting → passing on (the stream is there) → closed.
 */
export class UnopenedSse implements LiveBody {
  readonly #options: UnopenedSseOptions;
  readonly #stop = new AbortController();
  readonly #timers: ReturnType<typeof setTimeout>[];
  #sink: BodySink | null = null;
  /** The body of the stream, once it is there. */
  #inner: LiveBody | null = null;
  /** A chunk waits for the client. */
  #waiting = false;
  /** State the client knows; null before it knows any. */
  #known: string | null = null;
  #isClosed = false;

  constructor(options: UnopenedSseOptions) {
    this.#options = options;
    this.#timers = [
      setTimeout(() => this.close(), options.maxMs),
      setInterval(() => this.#beat(), options.heartbeatMs),
    ];
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#isClosed) return sink.end();
    this.#tell(this.#options.watch.state);
    void this.#follow();
  }

  onDrain(): void {
    this.#waiting = false;
    this.#inner?.onDrain();
  }

  /** Ends the response where it is. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#release();
    this.#inner?.close();
    this.#sink?.end();
  }

  async #follow(): Promise<void> {
    const { watch, open, onError } = this.#options;
    try {
      const opening = await watch.follow(this.#stop.signal, (state) => this.#tell(state));
      if (this.#isClosed) return;
      if (opening.kind === 'ended') this.#tell(opening.state);
      if (opening.kind !== 'opened') return this.close();
      this.#stopWaiting();
      this.#continueWith(await open());
    } catch (error) {
      if (!this.#isClosed) onError(error);
      this.close();
    }
  }

  #continueWith({ body, headers }: StreamHttpAnswer): void {
    if (!isLiveBody(body)) return this.close();
    this.#inner = body;
    // Bytes travel as base64, which only headers can say: the client gets those when it resumes.
    if (this.#isClosed || headers[HEADER.sseEncoding] !== undefined) {
      body.close();
      return this.close();
    }
    body.start({
      write: (chunk) => this.#sink?.write(chunk) ?? false,
      end: () => this.close(),
      fail: (error) => {
        this.#release();
        this.#sink?.fail(error);
      },
    });
  }

  #release(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    this.#options.onClosed();
  }

  #tell(state: StreamState): void {
    const key = stateKey(state);
    // A look at the store may be over after the response.
    if (key === this.#known || this.#isClosed) return;
    this.#known = key;
    const { format, cursor } = this.#options;
    this.#write(encodeSseControl({ format, place: placeAt(0), state, cursor: cursor() }));
  }

  #beat(): void {
    if (!this.#waiting) this.#write(HEARTBEAT);
  }

  #write(chunk: Uint8Array): void {
    // Set before: a sink whose client was waiting drains within the call.
    this.#waiting = true;
    if (this.#sink?.write(chunk)) this.#waiting = false;
  }

  #stopWaiting(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#stop.abort();
  }
}
