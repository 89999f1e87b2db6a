/** Several streams of one run, each with an end of its own. */
import { collect, createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const workflow = createWorkflow('work', {}, { streamStore: createMemoryStreamStore() });

const run = workflow.start(async ({ step }) => {
  const tokenWriter = step.getWritable<string>({ namespace: 'tokens' });
  const progressWriter = step.getWritable<number>({ namespace: 'progress' });

  await tokenWriter.write('Starting...');
  await progressWriter.write(0);
  await progressWriter.write(100);
  await tokenWriter.write('Done!');

  await tokenWriter.close();
  await progressWriter.close();
});

console.log(await collect(run.reader({ namespace: 'tokens' })));
console.log(await collect(run.reader({ namespace: 'progress' })));

/* Prints:
[ 'Starting...', 'Done!' ]
[ 0, 100 ]
*/
