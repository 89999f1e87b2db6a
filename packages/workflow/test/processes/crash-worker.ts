/**
 * A worker to be killed, or one that goes on with what killed ones left. `crash-worker.ts <JSON of WorkerTask>` prints one line of JSON
 * for each thing it tells (`WorkerLine`), and stops itself where its task says, by a signal that cannot be caught.
 */
import { writeSync } from 'node:fs';

import { programOf } from '../crash/matrix/programs.ts';
import type { WorkerJob, WorkerLine, WorkerTask } from '../crash/matrix/spawn-worker.ts';
import { openStore } from '../crash/matrix/store-spec.ts';
import { startWorker } from '../crash/matrix/worker.ts';

const task = JSON.parse(process.argv[2] ?? '') as WorkerTask;

/** Synchronous: what is told before a kill arrives. */
function tell(line: WorkerLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function work({ store: spec, program, runId, point, signal = 'SIGKILL' }: WorkerJob): Promise<void> {
  const store = openStore(spec);
  const worker = startWorker({
    store,
    program: programOf(program),
    runId,
    leaseMs: task.leaseMs,
    point,
    onPoint: async () => {
      tell({ type: 'point', runId });
      process.kill(process.pid, signal);
      // A signal may take a moment; nothing may happen in it.
      if (signal === 'SIGKILL') await new Promise(() => undefined);
    },
    onEvent: ({ type }) => {
      if (type === 'run_resumed' || type === 'run_lost') tell({ type, runId });
    },
  });
  void worker.recovered.then((runIds) => tell({ type: 'recovered', runId, runIds }));
  void worker.started.then(() => tell({ type: 'started', runId }));
  const result = await worker.result;
  await worker.settled;
  const counts = Object.fromEntries(worker.trap.counts);
  tell({
    type: 'result',
    runId,
    ok: result.ok,
    ...(result.ok ? { value: result.value } : { code: String((result.error as { readonly code?: unknown }).code) }),
    counts,
  });
  await worker.workflow.close();
  await store.close();
}

await Promise.all(task.jobs.map(work));
