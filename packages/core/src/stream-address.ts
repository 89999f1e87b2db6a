import { InvalidArgumentError } from './log/errors.ts';
import { assertStreamId, runStreamId } from './log/stream-id.ts';

/** Names a stream: by its id, or as a namespace of a workflow run. */
export type StreamAddress =
  | { readonly streamId: string; readonly workflowId?: never; readonly namespace?: never }
  | {
      readonly streamId?: never;
      /** Id of the run. */
      readonly workflowId: string;
      /** Named stream of the run. @default 'default' */
      readonly namespace?: string;
    };

/** The namespace of a run's stream when none is given. */
export const DEFAULT_NAMESPACE = 'default';

/** @throws {@link InvalidArgumentError} unless exactly one valid name is given. */
export function streamIdOf({ streamId, workflowId, namespace = DEFAULT_NAMESPACE }: StreamAddress): string {
  if (streamId !== undefined && workflowId !== undefined)
    throw new InvalidArgumentError('streamId', 'Pass `streamId` or `workflowId`, not both.');
  if (workflowId !== undefined) return runStreamId(workflowId, namespace);
  assertStreamId(streamId);
  return streamId;
}
