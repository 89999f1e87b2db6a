import type { StreamChunk, StreamChunkError, StreamProgress } from '@perennial/core';

import { toChunkError } from '../actor/chunks.ts';
import type { ActorCallContext, ActorContext } from '../actor/context.ts';
import { manageItems } from '../actor/managed-stream.ts';
import { ActorFailedError, assertWhole } from '../errors.ts';
import type { AnyActor } from '../registry/registry.ts';
import { Channel, CLOSED } from './channel.ts';
import { type Member, resolveMembers } from './members.ts';

/** A member that depends on others, or gets something else than the task. */
export interface TeamMember {
  readonly actor: AnyActor;
  /** Members that have to be done first. @default none: all start at once */
  readonly after?: readonly string[];
  /** Makes the member's input of the task and the results so far. @default the task */
  readonly input?: (task: unknown, results: Readonly<Record<string, unknown>>) => unknown;
}

/** Options of {@link createTeam}. */
export interface TeamOptions {
  /** Actors by the name under which they contribute. */
  readonly members: Readonly<Record<string, AnyActor | TeamMember>>;
  /**
   * When a member fails. `cancel`: its contribution is the last, the others are cancelled, and the stream throws. `continue`: the others
   * go on; members that come after it fail, too.
   * @default 'cancel'
   */
  readonly onFailure?: 'cancel' | 'continue';
  /** Contributions that wait for the consumer before the members pause. @default 64 */
  readonly highWaterMark?: number;
}

/** What a member said. */
export interface Contribution {
  /** Name of the member. */
  readonly actor: string;
  readonly type: 'data' | 'progress' | 'complete' | 'error';
  /** The chunk's data; of a progress chunk without data its message or count, of an error its message. */
  readonly output: unknown;
  readonly progress?: StreamProgress;
  readonly error?: StreamChunkError;
}

/** Actors that work on one task together. */
export interface Team {
  /**
   * The members' contributions as they come, in the order of each member. Chunks that say nothing (`start`, or `complete` without data)
   * are left out. Leaving the loop cancels all members.
   */
  stream(task: unknown, context?: ActorCallContext): AsyncGenerator<Contribution, void, unknown>;
  /** The results of all members, by name. With `onFailure: 'continue'`, those of members that failed are missing. */
  execute(task: unknown, context?: ActorCallContext): Promise<Record<string, unknown>>;
}

const DEFAULT_HIGH_WATER_MARK = 64;

/**
 * Makes a team.
 *
 * @example
 * const team = createTeam({ members: { Researcher: researcher, Writer: { actor: writer, after: ['Researcher'] } } });
 * for await (const contribution of team.stream(task)) console.log(`${contribution.actor}: ${contribution.output}`);
 */
export function createTeam(options: TeamOptions): Team {
  assertWhole('highWaterMark', options.highWaterMark);
  const members = resolveMembers(options.members);
  const start = (task: unknown, context?: ActorCallContext): [TeamRun, AsyncGenerator<Contribution, void, unknown>] => {
    const run = new TeamRun(members, options, task);
    return [run, manageItems((whole) => run.contributions(whole), context)];
  };
  return {
    stream: (task, context) => start(task, context)[1],
    async execute(task, context) {
      const [run, contributions] = start(task, context);
      for await (const _ of contributions);
      return { ...run.results };
    },
  };
}

class TeamRun {
  readonly results: Record<string, unknown> = {};
  readonly #members: readonly Member[];
  readonly #stopOnFailure: boolean;
  readonly #task: unknown;
  readonly #channel: Channel<Contribution>;
  readonly #stop = new AbortController();

  constructor(members: readonly Member[], options: TeamOptions, task: unknown) {
    const { onFailure = 'cancel', highWaterMark = DEFAULT_HIGH_WATER_MARK } = options;
    this.#members = members;
    this.#stopOnFailure = onFailure === 'cancel';
    this.#task = task;
    this.#channel = new Channel(highWaterMark);
  }

  async *contributions(context: ActorContext): AsyncGenerator<Contribution, void, unknown> {
    const inner = { ...context, signal: AbortSignal.any([context.signal, this.#stop.signal]) };
    const ends = new Map<string, Promise<boolean>>();
    for (const member of this.#members) ends.set(member.name, this.#work(member, ends, inner));
    void Promise.all(ends.values()).then(
      () => this.#channel.close(),
      (error: unknown) => this.#channel.fail(error),
    );
    try {
      for (let next = await this.#channel.take(); next !== CLOSED; next = await this.#channel.take()) yield next;
    } finally {
      this.#stop.abort();
      this.#channel.close();
      // Members get to clean up before the team is done.
      await Promise.allSettled(ends.values());
    }
  }

  /** True when the member succeeded. Rejects when its failure stops the team. */
  async #work(member: Member, ends: ReadonlyMap<string, Promise<boolean>>, context: ActorContext): Promise<boolean> {
    const { name, actor, after, input } = member;
    let failure: StreamChunkError | null;
    const before = await Promise.all(after.flatMap((name) => ends.get(name) ?? []));
    if (before.every(Boolean)) {
      const given = input ? () => input(this.#task, { ...this.results }) : () => this.#task;
      failure = await this.#listen(name, () => actor.stream(given() as never, context) as AsyncIterable<StreamChunk>);
    } else {
      failure = {
        code: 'DEPENDENCY_FAILED',
        message: `${name} needs ${after.join(', ')}, not all of which succeeded.`,
      };
    }
    if (!failure) return true;
    if (context.signal.aborted) return false;
    await this.#channel.push({ actor: name, type: 'error', output: failure.message, error: failure });
    if (!this.#stopOnFailure) return false;
    this.#stop.abort();
    throw new ActorFailedError(failure);
  }

  /** Passes a member's chunks on; its failure, or null. */
  async #listen(name: string, open: () => AsyncIterable<StreamChunk>): Promise<StreamChunkError | null> {
    try {
      for await (const chunk of open()) {
        if (chunk.type === 'error') return chunk.error;
        if (chunk.type === 'complete') this.results[name] = chunk.data;
        const contribution = toContribution(name, chunk);
        if (contribution) await this.#channel.push(contribution);
      }
      return null;
    } catch (error) {
      return toChunkError(error);
    }
  }
}

function toContribution(actor: string, chunk: Exclude<StreamChunk, { type: 'error' }>): Contribution | null {
  if (chunk.type === 'start') return null;
  if (chunk.type !== 'progress')
    return chunk.data === undefined ? null : { actor, type: chunk.type, output: chunk.data };
  const { progress, data } = chunk;
  const output = data ?? progress.message ?? `${progress.current}/${progress.total}`;
  return { actor, type: 'progress', output, progress };
}
