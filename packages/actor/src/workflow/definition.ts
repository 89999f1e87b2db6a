import type { Activity } from '../activity/activity.ts';
import { assertName, invalid, quote } from '../errors.ts';

/** What an action's input is made of. */
export interface ActionScope {
  /** The workflow's input. */
  readonly input: unknown;
  /** Result of the action before; the workflow's input for the first one. */
  readonly previous: unknown;
  /** Results so far, by the actions' names. */
  readonly results: Readonly<Record<string, unknown>>;
}

/** Where an action gets its input. */
export interface ActionInput {
  /**
   * `input`: the workflow's. `previous`: the result of the action before. Anything else: the result of the action of that name.
   * @default 'input'
   */
  readonly inputFrom?: string;
  /** Computes the input instead; not for definitions in JSON. @default `inputFrom` decides */
  readonly input?: (scope: ActionScope) => unknown;
}

/** Runs an actor of the registry. */
export interface ActorAction extends ActionInput {
  readonly type: 'actor';
  readonly actorType: string;
  /** Unique in the workflow. @default `actorType` */
  readonly name?: string;
  /** Pass the actor's progress and data on as they come. @default false */
  readonly streaming?: boolean;
}

/** Runs an activity; its input is a dataset, its result what `process` returned for each batch. */
export interface ActivityAction extends ActionInput {
  readonly type: 'activity';
  readonly activity: string | Activity<never>;
  /** Unique in the workflow. @default the activity's name */
  readonly name?: string;
  /** Pass the batches on as they are processed. @default false */
  readonly streaming?: boolean;
}

/** One action of a workflow. */
export type WorkflowAction = ActorAction | ActivityAction;

/** Actions, one after the other. Without functions in it, it can be kept as JSON. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly actions: readonly WorkflowAction[];
}

/** An action whose name is known. */
export type NamedAction = WorkflowAction & { readonly name: string };

/**
 * The actions with their names.
 *
 * @throws `INVALID_ARGUMENT` for what is no definition, a name given twice, and an `inputFrom` that names no earlier action.
 */
export function namedActions(definition: WorkflowDefinition): readonly NamedAction[] {
  if (typeof definition !== 'object' || definition === null)
    throw invalid(`A workflow definition must be an object; got ${quote(definition)}.`);
  assertName('name', definition.name);
  if (!Array.isArray(definition.actions))
    throw invalid(
      `\`actions\` of workflow ${quote(definition.name)} must be an array; got ${quote(definition.actions)}.`,
    );
  const known = new Set<string>();
  return definition.actions.map((action: WorkflowAction) => {
    const name = action?.name ?? defaultName(action);
    assertName('name', name);
    if (known.has(name)) throw invalid(`Two actions of workflow ${quote(definition.name)} are called ${quote(name)}.`);
    const { inputFrom = 'input' } = action;
    if (inputFrom !== 'input' && inputFrom !== 'previous' && !known.has(inputFrom))
      throw invalid(`\`inputFrom\` of action ${quote(name)} names ${quote(inputFrom)}, which is no earlier action.`);
    known.add(name);
    return { ...action, name };
  });
}

function defaultName(action: WorkflowAction | undefined): string {
  if (action?.type === 'actor') return action.actorType;
  if (action?.type === 'activity') return typeof action.activity === 'string' ? action.activity : action.activity.name;
  throw invalid(`The \`type\` of an action must be "actor" or "activity"; got ${quote(action)}.`);
}

/** The input of an action. */
export function inputOf({ input, inputFrom = 'input' }: ActionInput, scope: ActionScope): unknown {
  if (input) return input(scope);
  if (inputFrom === 'input') return scope.input;
  return inputFrom === 'previous' ? scope.previous : scope.results[inputFrom];
}
