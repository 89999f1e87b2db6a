import { type ActorStream, collectResult, RemoteStreamingActor, type StreamingActor } from '@perennial/actor';

import { openTarget } from '../target/open-target.ts';
import type { TargetFlags } from '../target/target-flags.ts';
import { resolveTarget } from '../target/target-spec.ts';
import type { CommandContext } from './context.ts';
import type { Project } from './load-project.ts';
import { openQueue } from './open-queue.ts';

/** Which actor, and by which way. */
export interface RemoteActorOptions {
  readonly project: Project;
  readonly flags: TargetFlags & { readonly address?: string | undefined };
  readonly type: string;
}

/** Lets `work` have an actor that runs in a worker, and closes queue and store whatever happens. */
export async function withRemoteActor<T>(
  { io, messages }: CommandContext,
  { project, flags, type }: RemoteActorOptions,
  work: (actor: StreamingActor) => Promise<T>,
): Promise<T> {
  const spec = await resolveTarget(flags, io);
  const target = await openTarget(spec, { access: 'write', messages });
  try {
    const queue = await openQueue(project, spec);
    try {
      const address = flags.address ?? project.resolved.address;
      return await work(cancelling(new RemoteStreamingActor({ queue, store: target.store, actorType: type, address })));
    } finally {
      await queue.close();
    }
  } finally {
    await target.close();
  }
}

/** The same actor, whose calls reject only once the worker was asked to stop: right after, queue and store are closed. */
function cancelling(remote: RemoteStreamingActor): StreamingActor {
  async function* stream(input: unknown, signal: AbortSignal | undefined): ActorStream {
    const { streamId } = await remote.start(input);
    try {
      yield* remote.read(streamId, signal ? { signal } : {});
    } finally {
      // Nothing happens when the work is over.
      if (signal?.aborted) await remote.cancel(streamId, 'The caller was stopped.');
    }
  }
  return {
    stream: (input, context) => stream(input, context?.signal),
    execute: (input, context) => collectResult(stream(input, context?.signal)),
  };
}
