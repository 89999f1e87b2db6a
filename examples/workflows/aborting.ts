/** An aborted stream ends as failed: readers get what was written, then the error. */
import { createMemoryStreamStore, isStreamFailed } from '@perennial/core';
import { createWorkflow, type RunWriter } from '@perennial/workflow';

async function generateContent(writer: RunWriter<string>): Promise<void> {
  await writer.write('half an ans');
  throw new Error('the model went away');
}

const workflow = createWorkflow('answer', {}, { streamStore: createMemoryStreamStore() });

const run = workflow.start(async ({ step }) => {
  const writer = step.getWritable<string>({ namespace: 'response' });
  try {
    await generateContent(writer);
  } catch (error) {
    await writer.abort(error); // Signal error to readers
  }
});

const reader = run.reader<string>({ namespace: 'response' });
for (let item = await reader.read(); ; item = await reader.read()) {
  if (item.ok) {
    console.log(item.value);
    continue;
  }
  if (isStreamFailed(item.error)) console.log('Failed:', item.error.end.error?.message);
  break;
}
console.log((await run.result).ok);

/* Prints:
half an ans
Failed: the model went away
true
*/
