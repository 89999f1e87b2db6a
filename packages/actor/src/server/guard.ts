import type { IncomingMessage } from 'node:http';

import { isStreamError } from '@perennial/core';

import { isActorError } from '../errors.ts';
import type { EndpointTarget, ResolvedEndpoints } from './options.ts';
import { Refusal } from './routes.ts';

/** What is counted and decided for all connections of a set of endpoints. */
export class Guard {
  readonly #options: ResolvedEndpoints;
  #connections = 0;

  constructor(options: ResolvedEndpoints) {
    this.#options = options;
  }

  /** @throws {@link Refusal} 403; for a read that is denied 404, as for a stream that does not exist. */
  async authorize(request: IncomingMessage, target: EndpointTarget): Promise<void> {
    if (await this.#options.authorize(request, target)) return;
    if (target.action === 'read') throw notFound();
    throw new Refusal(403, 'FORBIDDEN', 'This is not allowed.');
  }

  /**
   * A browser sends cookies with requests and sockets of any page. Only pages of this server and of listed origins may use them.
   *
   * @throws {@link Refusal} 403.
   */
  assertOrigin(request: IncomingMessage): void {
    const { origin, host } = request.headers;
    const fromElsewhere = request.headers['sec-fetch-site'] === 'cross-site';
    if (origin === undefined ? !fromElsewhere : this.allows(origin, host)) return;
    throw new Refusal(403, 'FORBIDDEN', 'Pages of this origin may not connect.');
  }

  /** True for the server's own origin and the listed ones. */
  allows(origin: string, host: string | undefined): boolean {
    if (this.#options.origins.includes(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  /** Takes a connection; the function gives it back. @throws {@link Refusal} 503 when there are too many. */
  connect(): () => void {
    const { maxConnections } = this.#options.limits;
    if (this.#connections >= maxConnections)
      throw new Refusal(503, 'LIMIT_EXCEEDED', `There are ${maxConnections} connections already. Try again later.`);
    this.#connections++;
    let open = true;
    return () => {
      if (open) this.#connections--;
      open = false;
    };
  }

  /** What a client is told of anything thrown: its own mistakes, and of ours that there was one. */
  refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (isStreamError(error)) {
      if (error.code === 'NOT_FOUND') return notFound();
      if (error.code === 'INVALID_ARGUMENT' || error.code === 'UNSERIALISABLE')
        return new Refusal(400, error.code, error.message);
      if (error.code === 'GAP') return new Refusal(410, error.code, error.message);
    }
    if (isActorError(error, 'INVALID_ARGUMENT')) return new Refusal(400, error.code, error.message);
    if (isActorError(error, 'UNKNOWN_ACTOR')) return new Refusal(404, error.code, 'There is no such actor.');
    if (isActorError(error, 'QUEUE_FULL')) return new Refusal(503, error.code, 'Too much is waiting. Try again later.');
    this.#options.onError(error);
    return new Refusal(500, 'INTERNAL', 'Something failed on the server.');
  }
}

function notFound(): Refusal {
  return new Refusal(404, 'NOT_FOUND', 'There is no such stream.');
}
