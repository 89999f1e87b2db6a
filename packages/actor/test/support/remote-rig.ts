import { createMemoryStreamStore, type StreamStore } from '@perennial/core';

import {
  type ActorRegistryOptions,
  ActorWorker,
  type ActorWorkerOptions,
  createActorRegistry,
  createMemoryQueue,
  type MessageQueue,
  RemoteStreamingActor,
  type RemoteStreamingActorOptions,
} from '../../src/index.ts';

/** A store, a queue and a worker in this process. */
export interface RemoteRig {
  readonly store: StreamStore;
  readonly queue: MessageQueue;
  readonly worker: ActorWorker;
  remote<Input = unknown, Output = unknown, Data = Output>(
    actorType: string,
    options?: Partial<RemoteStreamingActorOptions>,
  ): RemoteStreamingActor<Input, Output, Data>;
  close(): Promise<void>;
}

/** Starts a rig; `worker: null` leaves the worker out. */
export function startRig(
  actors: NonNullable<ActorRegistryOptions['actors']>,
  options: Partial<ActorWorkerOptions> = {},
  started = true,
): RemoteRig {
  const store = createMemoryStreamStore();
  // With a lease, its renewals would bring what the worker has to notice by itself.
  const queue = { ...createMemoryQueue({ retryDelayMs: 1 }), durable: options.leaseMs === undefined };
  const worker = new ActorWorker({
    store,
    queue,
    registry: createActorRegistry({ actors }),
    concurrency: 4,
    ...options,
  });
  if (started) worker.start();
  return {
    store,
    queue,
    worker,
    remote: (actorType, more) => new RemoteStreamingActor({ store, queue, actorType, ...more }),
    async close() {
      await worker.close({ drainMs: 0 });
      await queue.close();
      await store.close();
    },
  };
}
