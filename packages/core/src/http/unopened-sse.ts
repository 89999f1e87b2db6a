import { encodeSseComment } from '../sse/encode.ts';
import type { Answer } from './answer.ts';
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
  readonly open: () => Promise<Answer>;
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
export class UnopenedSse {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: UnopenedSseOptions;
  readonly #stop = new AbortController();
  readonly #timers: ReturnType<typeof setTimeout>[];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** The response of the stream, once it is there. */
  #inner: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** State the client knows; null before it knows any. */
  #known: string | null = null;
  #isClosed = false;

  constructor(options: UnopenedSseOptions) {
    this.#options = options;
    this.#timers = [
      setTimeout(() => this.close(), options.maxMs),
      setInterval(() => this.#beat(), options.heartbeatMs),
    ];
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#tell(options.watch.state);
          void this.#follow();
        },
        pull: () => this.#pass(),
        cancel: () => this.close(),
      },
      { highWaterMark: 1 },
    );
  }

  /** Ends the response where it is. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopWaiting();
    void this.#inner?.cancel().catch(() => undefined);
    this.#options.onClosed();
    try {
      this.#controller.close();
    } catch {
      // The client had cancelled the body already.
    }
  }

  async #follow(): Promise<void> {
    const { watch, open, onError } = this.#options;
    try {
      const opening = await watch.follow(this.#stop.signal, (state) => this.#tell(state));
      if (this.#isClosed) return;
      if (opening.kind === 'ended') this.#tell(opening.state);
      if (opening.kind !== 'opened') return this.close();
      this.#stopWaiting();
      await this.#continueWith(await open());
    } catch (error) {
      if (!this.#isClosed) onError(error);
      this.close();
    }
  }

  async #continueWith({ body, headers }: Answer): Promise<void> {
    if (!(body instanceof ReadableStream)) return this.close();
    // Bytes travel as base64, which only headers can say: the client gets those when it resumes.
    if (this.#isClosed || headers[HEADER.sseEncoding] !== undefined) {
      await body.cancel();
      return this.close();
    }
    this.#inner = body.getReader();
    if ((this.#controller.desiredSize ?? 0) > 0) await this.#pass();
  }

  async #pass(): Promise<void> {
    if (!this.#inner || this.#isClosed) return;
    const { done, value } = await this.#inner.read();
    if (done) this.close();
    else if (!this.#isClosed) this.#controller.enqueue(value);
  }

  #tell(state: StreamState): void {
    const key = stateKey(state);
    if (key === this.#known) return;
    this.#known = key;
    const { format, cursor } = this.#options;
    this.#controller.enqueue(encodeSseControl({ format, place: placeAt(0), state, cursor: cursor() }));
  }

  #beat(): void {
    if ((this.#controller.desiredSize ?? 0) > 0) this.#controller.enqueue(HEARTBEAT);
  }

  #stopWaiting(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#stop.abort();
  }
}
