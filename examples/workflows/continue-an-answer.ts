/** An answer that a crash cut off goes on where it was: the tokens already paid for are kept, and told to the model. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createWorkflow } from '@perennial/workflow';

const [, , directory = mkdtempSync(join(tmpdir(), 'perennial-')), isDoomed] = process.argv;
const ANSWER = ['Perennials ', 'come ', 'back ', 'every ', 'spring.'];

/** Stands for a model that is given the beginning of its answer. */
async function* askModel(soFar: string): AsyncGenerator<string> {
  let text = '';
  for (const token of ANSWER) {
    text += token;
    if (text.length > soFar.length) yield token;
  }
}

const workflow = createWorkflow('answer', {}, { streamStore: createFileStreamStore({ directory }) });
const answers = workflow.define(async ({ step }) => {
  const tokens = step.getWritable<string>({ namespace: 'tokens', onRetry: 'continue' });
  return step('generate', async ({ emitted }) => {
    const before = await emitted<string>({ namespace: 'tokens' });
    let generated = 0;
    for await (const token of askModel(before.join(''))) {
      await tokens.write(token);
      generated++;
      if (isDoomed && token === 'back ') {
        await tokens.flush();
        process.kill(process.pid, 'SIGKILL');
      }
    }
    return { before: before.length, generated };
  });
});

if (isDoomed) {
  await answers.start({ id: 'a' });
} else {
  spawnSync(process.execPath, [...process.execArgv, import.meta.filename, directory, 'doomed']);
  await answers.recover();
  const run = answers.handle('a');
  console.log(await run.result);
  console.log((await collect(run.reader<string>({ namespace: 'tokens' }))).join(''));
  await workflow.close();
  rmSync(directory, { recursive: true });
}

/* Prints:
{ ok: true, value: { before: 3, generated: 2 } }
Perennials come back every spring.
*/
