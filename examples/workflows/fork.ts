/** A run failed in its third step. With the bug mended, a fork goes on from there; the first two steps are not done again. */
import { collect, createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const streamStore = createMemoryStreamStore();

function reportsOf(publish: () => string) {
  return createWorkflow('report', { publish }, { streamStore }).define(async ({ step, deps }) => {
    const log = step.getWritable<string>({ namespace: 'log' });
    for (const name of ['fetch', 'render'])
      await step(name, async () => {
        console.log('doing', name);
        await log.write(name);
      });
    return step('publish', deps.publish);
  });
}

const buggy = reportsOf(() => {
  throw new Error('no such folder');
});
const failed = await (await buggy.start({ id: 'monday' })).result;
console.log(failed.ok ? failed : failed.error.message);

const mended = reportsOf(() => 'published');
const fork = await mended.fork('monday', { fromStep: 'publish', id: 'monday-again' });
console.log(await fork.result);
console.log(await collect(fork.reader({ namespace: 'log' })));

/* Prints:
doing fetch
doing render
Step "publish" failed in attempt 1: no such folder
{ ok: true, value: 'published' }
[ 'fetch', 'render' ]
*/
