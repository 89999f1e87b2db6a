import { DEFAULT_ADDRESS } from '../config/config.ts';
import { UnknownActorError } from '../errors.ts';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import type { ActorMessage, MessageQueue } from '../queue/message-queue.ts';
import type { ActorRegistry } from '../registry/registry.ts';
import { ActorWorker } from '../remote/actor-worker.ts';
import { cancelJob } from '../remote/cancel-job.ts';
import { JobAttempt, shutDown } from '../remote/job-attempt.ts';
import { RemoteStreamingActor } from '../remote/remote-streaming-actor.ts';
import type { ActorEndpointsOptions } from './options.ts';

/** Starts and cancels runs, here or on workers. */
export interface Runs {
  /** The id of the run's stream. */
  start(actorType: string, input: unknown): Promise<string>;
  cancel(streamId: string, reason?: string): Promise<void>;
  /** Waits for the runs of this process. */
  close(drainMs: number): Promise<void>;
}

const DEFAULT_TTL_MS = 3_600_000;
const DEFAULT_CONCURRENCY = 100;

/** Without a queue, this process has one of its own and a worker on it: a run is the same wherever it runs. */
export function createRuns(options: ActorEndpointsOptions): Runs {
  const { store, registry, address, ttlMs = DEFAULT_TTL_MS } = options;
  const at = address === undefined ? {} : { address };
  const queue = options.queue ?? createMemoryQueue();
  const worker = options.queue || !registry ? null : startWorker({ ...options, ...at, registry, queue });
  return {
    async start(actorType, input) {
      if (worker && registry) assertKnown(registry, actorType);
      const actor = new RemoteStreamingActor({ queue, store, actorType, ttlMs, ...at });
      const { streamId } = await actor.start(input);
      return streamId;
    },
    cancel: (streamId, reason) => cancelJob(store, streamId, reason),
    async close(drainMs) {
      if (!worker) return;
      await worker.close({ drainMs });
      await failWaiting(options, queue);
      await queue.close();
    },
  };
}

function startWorker(
  options: ActorEndpointsOptions & { readonly registry: ActorRegistry; readonly queue: MessageQueue },
): ActorWorker {
  const { queue, store, registry, address, concurrency = DEFAULT_CONCURRENCY, onError } = options;
  const worker = new ActorWorker({
    queue,
    store,
    registry,
    concurrency,
    handOver: false,
    ...(address !== undefined && { address }),
    ...(onError && { onError }),
  });
  worker.start();
  return worker;
}

/** Runs that nobody has begun would wait for ever. */
async function failWaiting(
  { store, address = DEFAULT_ADDRESS }: ActorEndpointsOptions,
  queue: MessageQueue,
): Promise<void> {
  const sweep = queue.consume(
    address,
    async ({ message }) => {
      const { streamId } = message as ActorMessage;
      const attempt = await JobAttempt.take(store, streamId);
      await attempt?.fail(shutDown());
    },
    { concurrency: Number.MAX_SAFE_INTEGER },
  );
  await sweep.close({ drainMs: 0 });
}

function assertKnown(registry: ActorRegistry, actorType: string): void {
  if (registry.has(actorType)) return;
  const known = registry.list().map(({ type }) => type);
  throw new UnknownActorError(actorType, known);
}
