import type { StreamChunkError, StreamProgress } from '@perennial/core';

/** What a `WorkflowExecutor` reports, in this order: start; for each action start, progress and data, complete; complete or error. */
export type WorkflowStreamChunk =
  | { readonly type: 'start'; readonly workflow: string }
  | { readonly type: 'action-start'; readonly action: string; readonly actionType: 'actor' | 'activity' }
  /** Only of actions with `streaming: true`. */
  | { readonly type: 'action-progress'; readonly action: string; readonly progress: StreamProgress }
  /** Only of actions with `streaming: true`: a part of an actor's answer, or a batch of an activity. */
  | { readonly type: 'action-data'; readonly action: string; readonly data: unknown }
  | { readonly type: 'action-complete'; readonly action: string; readonly result: unknown }
  | { readonly type: 'complete' }
  /** The last chunk of a workflow that failed; `action` is the one that did. */
  | { readonly type: 'error'; readonly action: string; readonly error: StreamChunkError };

/** What became of a step of a workflow, for lists of steps. */
export interface WorkflowUpdate {
  /** Name of the action. */
  readonly step: string;
  readonly status: 'started' | 'progress' | 'data' | 'completed' | 'failed';
  /** The action's result when `completed`; the progress, the part or the error before. Absent when `started`. */
  readonly result?: unknown;
}

/** The update that a chunk stands for; null for those that concern no step. */
export function toUpdate(chunk: WorkflowStreamChunk): WorkflowUpdate | null {
  switch (chunk.type) {
    case 'start':
    case 'complete':
      return null;
    case 'action-start':
      return { step: chunk.action, status: 'started' };
    case 'action-progress':
      return { step: chunk.action, status: 'progress', result: chunk.progress };
    case 'action-data':
      return { step: chunk.action, status: 'data', result: chunk.data };
    case 'action-complete':
      return { step: chunk.action, status: 'completed', result: chunk.result };
    case 'error':
      return { step: chunk.action, status: 'failed', result: chunk.error };
  }
}
