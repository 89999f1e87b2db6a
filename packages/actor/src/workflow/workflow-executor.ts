import type { Activity, Dataset } from '../activity/activity.ts';
import { toChunkError } from '../actor/chunks.ts';
import { throwOnError } from '../actor/collect.ts';
import type { ActorCallContext, ActorContext } from '../actor/context.ts';
import { manageItems } from '../actor/managed-stream.ts';
import { ActorFailedError, assertObject, invalid, quote } from '../errors.ts';
import type { ActorRegistry } from '../registry/registry.ts';
import { toUpdate, type WorkflowStreamChunk, type WorkflowUpdate } from './chunks.ts';
import { inputOf, type NamedAction, namedActions, type WorkflowDefinition } from './definition.ts';

/** Options of {@link WorkflowExecutor}. */
export interface WorkflowExecutorOptions {
  /** Where actors are looked up. */
  readonly registry: ActorRegistry;
  /** Activities that definitions may name. @default none */
  readonly activities?: Readonly<Record<string, Activity<never>>>;
}

/** A definition bound to an executor. */
export interface ExecutableWorkflow {
  readonly name: string;
  /** What becomes of the steps, as it happens. A step that fails is the last update. */
  stream(input?: unknown, context?: ActorCallContext): AsyncGenerator<WorkflowUpdate, void, unknown>;
  /** See {@link WorkflowExecutor.execute}. */
  execute(input?: unknown, context?: ActorCallContext): Promise<Record<string, unknown>>;
}

type Chunks = AsyncGenerator<WorkflowStreamChunk, void, unknown>;

/**
 * Runs the actions of a definition one after the other, and reports what happens. It keeps nothing: for work that has to go on after a
 * crash, use `@perennial/workflow`.
 *
 * @example
 * for await (const chunk of executor.stream(definition, input)) console.log(chunk.type);
 */
export class WorkflowExecutor {
  readonly #registry: ActorRegistry;
  readonly #activities: Readonly<Record<string, Activity<never>>>;

  constructor({ registry, activities = {} }: WorkflowExecutorOptions) {
    assertObject('registry', registry);
    this.#registry = registry;
    this.#activities = activities;
  }

  /**
   * Runs a workflow. What an action throws or reports is the last chunk, `error`; leaving the loop cancels the action that is running.
   *
   * @throws `INVALID_ARGUMENT`, `UNKNOWN_ACTOR` before anything runs. From iteration: `ABORTED` when the context's signal fires.
   */
  stream(definition: WorkflowDefinition, input?: unknown, context?: ActorCallContext): Chunks {
    const actions = this.#actions(definition);
    return manageItems((whole) => this.#run(definition.name, actions, { input, context: whole }), context);
  }

  /** Runs a workflow; the results by the actions' names. @throws {@link ActorFailedError} when an action fails. */
  async execute(
    definition: WorkflowDefinition,
    input?: unknown,
    context?: ActorCallContext,
  ): Promise<Record<string, unknown>> {
    const results: Record<string, unknown> = {};
    for await (const chunk of this.stream(definition, input, context)) {
      if (chunk.type === 'error') throw new ActorFailedError(chunk.error);
      if (chunk.type === 'action-complete') results[chunk.action] = chunk.result;
    }
    return results;
  }

  /** The definition as something that streams `{ step, status, result }`. */
  workflow(definition: WorkflowDefinition): ExecutableWorkflow {
    this.#actions(definition);
    return {
      name: definition.name,
      stream: (input, context) => manageItems((whole) => toUpdates(this.stream(definition, input, whole)), context),
      execute: (input, context) => this.execute(definition, input, context),
    };
  }

  #actions(definition: WorkflowDefinition): readonly NamedAction[] {
    const actions = namedActions(definition);
    for (const action of actions) this.#assertKnown(action);
    return actions;
  }

  async *#run(workflow: string, actions: readonly NamedAction[], given: Given): Chunks {
    yield { type: 'start', workflow };
    const results: Record<string, unknown> = {};
    let previous = given.input;
    for (const action of actions) {
      const { name } = action;
      yield { type: 'action-start', action: name, actionType: action.type };
      try {
        const input = inputOf(action, { input: given.input, previous, results: { ...results } });
        previous = yield* this.#act(action, input, given.context);
      } catch (error) {
        if (given.context.signal.aborted) throw error;
        yield { type: 'error', action: name, error: toChunkError(error) };
        return;
      }
      results[name] = previous;
      yield { type: 'action-complete', action: name, result: previous };
    }
    yield { type: 'complete' };
  }

  /** Yields what the action reports, and returns its result. */
  #act(
    action: NamedAction,
    input: unknown,
    context: ActorContext,
  ): AsyncGenerator<WorkflowStreamChunk, unknown, unknown> {
    return action.type === 'actor'
      ? this.#runActor(action, input, context)
      : this.#runActivity(action, input as Dataset<never>, context);
  }

  async *#runActor(
    action: NamedAction & { type: 'actor' },
    input: unknown,
    context: ActorContext,
  ): AsyncGenerator<WorkflowStreamChunk, unknown, unknown> {
    const actor = this.#registry.get(action.actorType);
    if (!action.streaming) return actor.execute(input, context);
    for await (const chunk of throwOnError(actor.stream(input, context))) {
      if (chunk.type === 'complete') return chunk.data;
      if (chunk.type === 'progress') yield { type: 'action-progress', action: action.name, progress: chunk.progress };
      else if (chunk.type === 'data') yield { type: 'action-data', action: action.name, data: chunk.data };
    }
    return undefined;
  }

  async *#runActivity(
    action: NamedAction & { type: 'activity' },
    dataset: Dataset<never>,
    context: ActorContext,
  ): AsyncGenerator<WorkflowStreamChunk, unknown, unknown> {
    const results: unknown[] = [];
    for await (const batch of this.#activity(action).stream(dataset, context)) {
      results.push(batch.result);
      if (action.streaming) yield { type: 'action-data', action: action.name, data: batch };
    }
    return results;
  }

  #activity({ activity }: { readonly activity: string | Activity<never> }): Activity<never> {
    if (typeof activity !== 'string') return activity;
    const found = Object.hasOwn(this.#activities, activity) ? this.#activities[activity] : undefined;
    if (!found) throw invalid(`There is no activity ${quote(activity)}.`);
    return found;
  }

  #assertKnown(action: NamedAction): void {
    if (action.type === 'actor') this.#registry.get(action.actorType);
    else this.#activity(action);
  }
}

interface Given {
  readonly input: unknown;
  readonly context: ActorContext;
}

async function* toUpdates(chunks: Chunks): AsyncGenerator<WorkflowUpdate, void, unknown> {
  for await (const chunk of chunks) {
    const update = toUpdate(chunk);
    if (update) yield update;
  }
}
