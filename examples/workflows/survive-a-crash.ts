/** A process is killed in the middle of a run. The next one goes on: no step is done twice, no value is lost or doubled. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createWorkflow } from '@perennial/workflow';

const [, , directory = mkdtempSync(join(tmpdir(), 'perennial-')), isDoomed] = process.argv;

const workflow = createWorkflow('report', {}, { streamStore: createFileStreamStore({ directory }) });
const reports = workflow.define(async ({ step }) => {
  const log = step.getWritable<string>({ namespace: 'log' });
  await log.write('begin');
  const pid = await step('fetch', () => process.pid);
  await log.write('fetched');
  await log.flush();
  if (isDoomed) process.kill(process.pid, 'SIGKILL');
  await step('render', () => log.write('rendered'));
  await log.write('end');
  return pid === process.pid ? 'all done here' : 'the first process fetched, this one rendered';
});

if (isDoomed) {
  await reports.start({ id: 'monday' });
} else {
  const { signal } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, directory, 'doomed']);
  console.log('the first process ended by', signal);

  const { runIds } = await reports.recover(); // at boot
  console.log('open runs:', runIds);
  const run = reports.handle('monday');
  console.log(await run.result);
  console.log(await collect(run.reader({ namespace: 'log' })));
  await workflow.close();
  rmSync(directory, { recursive: true });
}

/* Prints:
the first process ended by SIGKILL
open runs: [ 'monday' ]
{ ok: true, value: 'the first process fetched, this one rendered' }
[ 'begin', 'fetched', 'rendered', 'end' ]
*/
