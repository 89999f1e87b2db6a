import { AsyncLocalStorage } from 'node:async_hooks';

import type { RunExecution } from '../runs/run-execution.ts';
import type { Attempt } from '../steps/attempt.ts';

/** On whose behalf code runs: the body of a run, or an attempt of one of its steps. */
export interface CallContext {
  readonly run: RunExecution;
  readonly attempt: Attempt | null;
}

/** Follows the asynchronous calls of bodies and steps, so that a writer opened in the body knows which step uses it. */
export const callContext: AsyncLocalStorage<CallContext> = new AsyncLocalStorage();
