import type { IncomingMessage } from 'node:http';

import type { StreamStore } from '@perennial/core';

import { assertObject, assertWhole, invalid, quote, warn } from '../errors.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import type { ActorRegistry } from '../registry/registry.ts';

/** What a request wants. */
export interface EndpointTarget {
  /** `run`: start an actor. `read`: follow a stream. `cancel`: ask the producer of a stream to stop. */
  readonly action: 'run' | 'read' | 'cancel';
  /** Type of the actor; absent for a stream that is addressed by its id. */
  readonly actorType?: string;
  /** Id of the stream; absent when an actor is started. */
  readonly streamId?: string;
}

/** Bounds of one set of endpoints. Beyond them, requests are refused and connections are cut. */
export interface EndpointLimits {
  /** Largest input or message of a client, in bytes. @default 1 MiB */
  readonly maxMessageBytes?: number;
  /** Open SSE responses and sockets, all together. @default 1_000 */
  readonly maxConnections?: number;
  /** Bytes that may wait for a slow client before reading pauses. @default 1 MiB */
  readonly maxBufferedBytes?: number;
  /** A client that takes nothing for this long while something waits is cut, in ms. @default 30_000 */
  readonly slowClientMs?: number;
  /** Silence after which a comment or ping is sent, in ms. A socket that does not answer a ping by the next one is cut. @default 15_000 */
  readonly heartbeatMs?: number;
}

/** Options of `createActorEndpoints`. */
export interface ActorEndpointsOptions {
  /** The actors that this process runs. Not needed with a `queue`: the workers know theirs. */
  readonly registry?: ActorRegistry;
  /** Keeps the chunks of every run, so that a client that lost its connection resumes. */
  readonly store: StreamStore;
  /** Sends work to workers elsewhere. @default this process does it */
  readonly queue?: MessageQueue;
  /** Where those workers listen. @default 'actors' */
  readonly address?: string;
  /** Runs at a time, when this process does the work; others wait. @default 100 */
  readonly concurrency?: number;
  /** How long the chunks of a run are kept after the last read or write, in ms. @default 1 hour */
  readonly ttlMs?: number;
  /** In front of all paths, such as `/api`. @default none */
  readonly basePath?: string;
  /**
   * Decides about each request and socket before anything is read or started, and about each resume and cancel on a socket.
   * @default everything if `NODE_ENV` is `development` or `test`, else nothing
   */
  readonly authorize?: (request: IncomingMessage, target: EndpointTarget) => boolean | Promise<boolean>;
  /** Origins, besides the server's own, whose pages may connect, such as `https://app.example`. @default none */
  readonly origins?: readonly string[];
  readonly limits?: EndpointLimits;
  /** Is told of failures that clients see as `INTERNAL`, and of runs that have to be begun again. @default process.emitWarning */
  readonly onError?: (error: unknown) => void;
}

/** The options with their defaults. */
export type ResolvedEndpoints = Required<
  Pick<ActorEndpointsOptions, 'authorize' | 'origins' | 'onError' | 'basePath'>
> &
  Pick<ActorEndpointsOptions, 'store'> & { readonly limits: Required<EndpointLimits> };

const DEFAULT_LIMITS: Required<EndpointLimits> = {
  maxMessageBytes: 1_048_576,
  maxConnections: 1_000,
  maxBufferedBytes: 1_048_576,
  slowClientMs: 30_000,
  heartbeatMs: 15_000,
};

/** @throws `INVALID_ARGUMENT` naming the first option that makes no sense. */
export function resolveEndpoints(options: ActorEndpointsOptions): ResolvedEndpoints {
  const { store, basePath = '', authorize = onlyInDevelopment, origins = [], onError = warn } = options;
  assertObject('store', store);
  if (!options.registry && !options.queue) throw invalid('Pass a `registry`, or a `queue` that leads to workers.');
  if (basePath !== '' && !/^(\/[^/?#]+)+$/.test(basePath))
    throw invalid(`\`basePath\` must begin with a slash and not end with one; got ${quote(basePath)}.`);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  for (const [name, value] of Object.entries(limits)) assertWhole(name, value);
  return { store, basePath, authorize, origins, onError, limits };
}

function onlyInDevelopment(): boolean {
  return process.env['NODE_ENV'] === 'development' || process.env['NODE_ENV'] === 'test';
}
