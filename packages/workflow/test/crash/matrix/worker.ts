import type { Result, StreamStore } from '@perennial/core';

import { createWorkflow, type Workflow, type WorkflowEvent } from '../../../src/index.ts';
import type { Program } from './programs.ts';
import { type CrashPoint, TrappedStore } from './trapped-store.ts';

/** What a worker is started with. */
export interface WorkerOptions {
  readonly store: StreamStore;
  readonly program: Program;
  readonly runId: string;
  readonly leaseMs: number;
  readonly point?: CrashPoint | undefined;
  readonly onPoint?: () => Promise<void> | void;
  readonly onEvent?: (event: WorkflowEvent) => void;
}

/** A worker on one run: it begins the run, or goes on with what an earlier one left. */
export interface Worker {
  readonly trap: TrappedStore;
  readonly workflow: Workflow<object>;
  /** Runs found open. */
  readonly recovered: Promise<readonly string[]>;
  /** Resolves once a start has been acknowledged. */
  readonly started: Promise<void>;
  /** How the run ended. */
  readonly result: Promise<Result<unknown, unknown>>;
  /** Resolves once nothing of the run is left in the index. */
  readonly settled: Promise<void>;
}

/** Starts a worker, as a process does at its boot: recover what is open, then start what it was asked to. */
export function startWorker({ store, program, runId, leaseMs, point, onPoint, onEvent }: WorkerOptions): Worker {
  const trap = new TrappedStore(store, { runId, point, ...(onPoint && { onPoint }) });
  const workflow = createWorkflow(
    program.name,
    {},
    {
      streamStore: trap,
      leaseMs,
      onEvent: (event) => {
        if (event.type === 'step_retrying') setTimeout(() => trap.pass('wait before a retry'), event.delayMs / 2);
        onEvent?.(event);
      },
    },
  );
  const definition = workflow.define(program.body);
  const recovered = definition.recover({ watch: false }).then(({ runIds }) => runIds);
  const handle = recovered.then(() => definition.start({ id: runId }));
  const result = handle.then(({ result }) => result);
  const started = handle.then(() => undefined);
  // A run that had ended before this worker came may be in the index still; its start put it there again.
  const settled = result.then(() => definition.recover({ watch: false })).then(() => undefined);
  // Nobody waits for a worker that dies.
  for (const promise of [recovered, started, result, settled]) promise.catch(() => undefined);
  return { trap, workflow, recovered, started, result, settled };
}
