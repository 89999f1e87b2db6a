import {
  type CreateOptions,
  type CreateResult,
  decideExisting,
  type ForkPin,
  type NewFork,
  retainedId,
  type StreamHead,
  type StreamIncarnation,
  StreamNotFoundError,
} from '@perennial/core';

import { writePin } from './fork-pins.ts';
import type { OwnedStream } from './owned-stream.ts';
import type { StreamHost } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { makeStream } from './stream-maker.ts';
import type { Stream } from './stream.ts';

/** Creates a stream, or finds it. Holding the lock is the caller's duty, here and below. */
export function createStream(host: StreamHost, stream: Stream, options: CreateOptions): Promise<CreateResult> {
  return stream.exclusively(async (open, claim) => {
    const head = await existing(host, { stream, open, options });
    if (head) return { created: false, head };
    return { created: true, head: await make(host, { stream, options, claim }) };
  });
}

/** The stream that a creation finds; null where the id is free. */
export function findStream(host: StreamHost, stream: Stream, options: CreateOptions): Promise<StreamHead | null> {
  return stream.exclusively((open) => existing(host, { stream, open, options }));
}

/** Creates a fork whose source is pinned; null where the id is taken, or the pin is too old. */
export function makeFork(
  host: StreamHost,
  stream: Stream,
  { options, fork }: { readonly options: CreateOptions; readonly fork: NewFork },
): Promise<StreamHead | null> {
  return stream.exclusively(async (open, claim) => {
    const isLate = fork.deadline !== null && host.context.options.now() > fork.deadline;
    if (open || isLate || (await host.isRetained(stream.id))) return null;
    return make(host, { stream, options, claim, fork });
  });
}

/** Pins a living stream for a fork. */
export function pinStream(
  host: StreamHost,
  stream: Stream,
  fork: StreamIncarnation,
): Promise<{ readonly head: StreamHead; readonly pinnedAt: number }> {
  return stream.exclusively(async (open) => {
    if (!open) throw new StreamNotFoundError(stream.id, { retained: await host.isRetained(stream.id) });
    const { fs, options } = host.context;
    const pin: ForkPin = { ...fork, pinnedAt: options.now() };
    await writePin(fs, stream.folder, pin, options.durability === 'disk');
    // What the fork has must not be lost with the next crash.
    return { head: await open.queue.settled(), pinnedAt: pin.pinnedAt };
  });
}

interface Creation {
  readonly stream: Stream;
  readonly open: OwnedStream | null;
  readonly options: CreateOptions;
}

async function existing(host: StreamHost, { stream, open, options }: Creation): Promise<StreamHead | null> {
  if (open) {
    stream.touch();
    return raise(open, options);
  }
  if (await host.isRetained(stream.id)) throw retainedId(stream.id);
  return null;
}

async function raise({ queue }: OwnedStream, options: CreateOptions): Promise<StreamHead> {
  let token: number | null;
  try {
    token = decideExisting(queue.acceptedHead, options);
  } catch (error) {
    await queue.settled();
    throw error;
  }
  return token === null ? queue.settled() : queue.raise(token);
}

interface Making {
  readonly stream: Stream;
  readonly options: CreateOptions;
  readonly claim: LockClaim;
  readonly fork?: NewFork;
}

async function make({ context, syncNames }: StreamHost, { stream, options, claim, fork }: Making): Promise<StreamHead> {
  const { id, folder } = stream;
  const made = await makeStream(context, { id, folder, options, claim, syncNames, ...(fork && { fork }) });
  stream.take(made);
  return made.log.state.head;
}
