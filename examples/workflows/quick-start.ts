/** A run that writes a stream, and somebody who reads it. */
import { collect, createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const streamStore = createMemoryStreamStore();
const workflow = createWorkflow('greeting', {}, { streamStore });

const run = workflow.start(async ({ step }) => {
  const writer = step.getWritable<string>({ namespace: 'tokens' });
  await writer.write('Hello');
  await writer.write(' World');
  await writer.close();
});

console.log(await collect(run.reader<string>({ namespace: 'tokens' })));
console.log((await run.result).ok);

/* Prints:
[ 'Hello', ' World' ]
true
*/
