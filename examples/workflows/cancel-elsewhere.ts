/** Another process asks a run to stop: its signal fires, its streams end as cancelled, with the reason. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isStreamCancelled } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { cancelRun, createWorkflow } from '@perennial/workflow';

const [, , directory = mkdtempSync(join(tmpdir(), 'perennial-')), isOther] = process.argv;
const streamStore = createFileStreamStore({ directory });

if (isOther) {
  await cancelRun(streamStore, 'long', 'not needed any more');
} else {
  const workflow = createWorkflow('work', {}, { streamStore });
  const run = workflow.start(
    async ({ step, signal }) => {
      const progress = step.getWritable<number>({ namespace: 'progress' });
      for (let i = 0; !signal.aborted; i++) {
        await progress.write(i);
        await progress.flush();
      }
    },
    { id: 'long' },
  );
  const reader = run.reader<number>({ namespace: 'progress' });
  console.log(await reader.read());
  execFileSync(process.execPath, [...process.execArgv, import.meta.filename, directory, 'other']);

  const result = await run.result;
  console.log(result.ok ? result : result.error.message);
  let item = await reader.read();
  while (item.ok) item = await reader.read();
  console.log(isStreamCancelled(item.error) && item.error.end);
  await workflow.close();
  await streamStore.close();
  rmSync(directory, { recursive: true });
}

/* Prints:
{ ok: true, value: 0 }
The run was cancelled: not needed any more.
{ outcome: 'cancelled', reason: 'not needed any more' }
*/
