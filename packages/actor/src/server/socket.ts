/**
 * One WebSocket: what a client sends are commands, what it gets are chunks.
 *
 * States: `idle` (nothing started yet) -> `following` (a run or stream is being sent) -> `closed`. One socket follows one stream. A
 * socket that closes leaves the run alone: the client may come back with its cursor.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import type { RawData, WebSocket, WebSocketServer } from 'ws';

import { type Command, parseCommand } from './commands.ts';
import type { EndpointParts } from './http.ts';
import { readMessages } from './messages.ts';
import { Refusal, type Route, routeOf } from './routes.ts';
import { Window } from './window.ts';

/** One upgrade. */
export interface SocketExchange extends EndpointParts {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly url: URL;
  readonly sockets: WebSocketServer;
}

/** Close codes of the protocol (RFC 6455, section 7.4.1). */
const NORMAL = 1000;
const POLICY = 1008;
const INTERNAL = 1011;
const TRY_LATER = 1013;
const CLOSED = 3;
const DRAIN_POLL_MS = 10;

/** Serves a socket to its end. Never rejects. */
export async function serveSocket(exchange: SocketExchange): Promise<void> {
  const { request, socket, head, url, guard, options, sockets } = exchange;
  let release: (() => void) | null = null;
  // Node leaves errors of upgraded sockets to us; one without a listener would end the process.
  socket.on('error', () => {});
  try {
    const route = routeOf(url, options.basePath);
    if (!route || route.kind === 'cancel') throw new Refusal(404, 'NOT_FOUND', 'There is nothing here.');
    guard.assertOrigin(request);
    await guard.authorize(request, targetOf(route));
    release = guard.connect();
    const client = await new Promise<WebSocket>((resolve, reject) => {
      // The library answers a malformed handshake by itself, and then calls nobody.
      socket.once('close', () => reject(new Refusal(400, 'INVALID_ARGUMENT', 'The handshake failed.')));
      sockets.handleUpgrade(request, socket, head, resolve);
    });
    await new Session(client, exchange, route).closed;
  } catch (error) {
    const { status, code, message } = guard.refusalOf(error);
    const body = JSON.stringify({ error: { code, message } });
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  } finally {
    release?.();
  }
}

type Served = Exclude<Route, { readonly kind: 'cancel' }>;

function targetOf(route: Served): { action: 'run'; actorType: string } | { action: 'read'; streamId: string } {
  return route.kind === 'actor'
    ? { action: 'run', actorType: route.actorType }
    : { action: 'read', streamId: route.streamId };
}

class Session {
  /** Resolves once the socket is closed. */
  readonly closed: Promise<void>;
  readonly #client: WebSocket;
  readonly #exchange: SocketExchange;
  readonly #route: Served;
  readonly #gone = new AbortController();
  /** Commands take turns: a cancel that follows a start waits for the run's id. */
  #turn: Promise<void> = Promise.resolve();
  #streamId: string | null = null;
  #window: Window = new Window(Infinity);
  #alive = true;

  constructor(client: WebSocket, exchange: SocketExchange, route: Served) {
    this.#client = client;
    this.#exchange = exchange;
    this.#route = route;
    const beat = setInterval(() => this.#beat(), exchange.options.limits.heartbeatMs);
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        clearInterval(beat);
        this.#gone.abort();
        this.#window.open();
        resolve();
      });
    });
    // A message beyond the limit, or a broken frame: the library closes the socket with the right code.
    client.on('error', () => {});
    client.on('pong', () => (this.#alive = true));
    client.on('message', (data, isBinary) => this.#receive(data, isBinary));
    // A stream has nothing to be started with: it is sent from the beginning unless the URL says otherwise.
    if (route.kind === 'stream') this.#enqueue({ action: 'resume', cursor: exchange.url.searchParams.get('cursor') });
  }

  #receive(data: RawData, isBinary: boolean): void {
    try {
      const command = parseCommand(data, isBinary);
      // An acknowledgement must not wait behind the start whose chunks it acknowledges.
      if (command.action === 'ack') this.#window.acknowledge(command.cursor);
      else this.#enqueue(command);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #enqueue(command: Exclude<Command, { action: 'ack' }>): void {
    this.#turn = this.#turn.then(() => this.#obey(command)).catch((error: unknown) => this.#refuse(error));
  }

  async #obey(command: Exclude<Command, { action: 'ack' }>): Promise<void> {
    const { request, guard, runs } = this.#exchange;
    switch (command.action) {
      case 'start': {
        if (this.#route.kind !== 'actor') throw new Refusal(400, 'UNSUPPORTED', 'A stream is followed, not started.');
        this.#assertIdle();
        this.#window = new Window(command.window ?? Infinity);
        const streamId = await runs.start(this.#route.actorType, command.input);
        this.#send({ type: 'started', streamId });
        this.#follow(streamId);
        return;
      }
      case 'resume': {
        this.#assertIdle();
        const streamId = this.#streamOf(command);
        await guard.authorize(request, { action: 'read', streamId, ...this.#actorType() });
        this.#window = new Window(command.window ?? Infinity);
        this.#follow(streamId, command.cursor ?? undefined);
        return;
      }
      case 'cancel':
        if (this.#streamId === null) throw new Refusal(400, 'INVALID_ARGUMENT', 'There is nothing to cancel yet.');
        await guard.authorize(request, { action: 'cancel', streamId: this.#streamId, ...this.#actorType() });
        await runs.cancel(this.#streamId, command.reason);
    }
  }

  #follow(streamId: string, cursor?: string): void {
    this.#streamId = streamId;
    void this.#pump(streamId, cursor).catch((error: unknown) => {
      if (this.#gone.signal.aborted || this.#exchange.closing.aborted) return;
      const { status, code, message } = this.#exchange.guard.refusalOf(error);
      this.#send({ type: 'problem', code, message });
      this.#client.close(status >= 500 ? INTERNAL : POLICY, code);
    });
  }

  async #pump(streamId: string, cursor: string | undefined): Promise<void> {
    const { store } = this.#exchange.options;
    const signal = AbortSignal.any([this.#gone.signal, this.#exchange.closing]);
    const at = cursor === undefined ? {} : { cursor };
    for await (const message of readMessages({ store, streamId, signal, ...at })) {
      await this.#window.take(message.cursor);
      if (this.#client.readyState === CLOSED) return;
      // The cursor goes into the object that the message is.
      this.#client.send(`${message.text.slice(0, -1)},"cursor":${JSON.stringify(message.cursor)}}`);
      if (this.#client.bufferedAmount > this.#exchange.options.limits.maxBufferedBytes) await this.#drained();
    }
    this.#client.close(NORMAL, 'Done.');
  }

  /** Waits until the client has taken what waits for it, or cuts it. */
  async #drained(): Promise<void> {
    const { slowClientMs, maxBufferedBytes } = this.#exchange.options.limits;
    const deadline = performance.now() + slowClientMs;
    while (this.#client.bufferedAmount > maxBufferedBytes / 2 && !this.#gone.signal.aborted) {
      if (performance.now() > deadline) {
        this.#client.terminate();
        return;
      }
      // The library tells when a message was handed to the system, not when the buffer has room; so it is asked.
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  #streamOf(command: Extract<Command, { action: 'resume' }>): string {
    if (this.#route.kind === 'stream') return this.#route.streamId;
    const { streamId = '' } = command;
    if (streamId.startsWith(`actors/${encodeURIComponent(this.#route.actorType)}/`)) return streamId;
    throw new Refusal(400, 'INVALID_ARGUMENT', '`streamId` must be the one that came with `started`.');
  }

  #actorType(): { readonly actorType?: string } {
    return this.#route.kind === 'actor' ? { actorType: this.#route.actorType } : {};
  }

  #assertIdle(): void {
    if (this.#streamId !== null)
      throw new Refusal(400, 'INVALID_ARGUMENT', 'This socket follows a stream already; open another one.');
  }

  /** A mistake of the client is answered and changes nothing. */
  #refuse(error: unknown): void {
    const { code, message, status } = this.#exchange.guard.refusalOf(error);
    this.#send({ type: 'problem', code, message });
    if (this.#streamId === null && status !== 400) this.#client.close(status === 503 ? TRY_LATER : POLICY, code);
  }

  #send(message: object): void {
    if (this.#client.readyState !== CLOSED) this.#client.send(JSON.stringify(message));
  }

  #beat(): void {
    if (!this.#alive) {
      this.#client.terminate();
      return;
    }
    this.#alive = false;
    this.#client.ping();
  }
}
