/** Writes return Results: nothing throws, and a refused write says why. */
import { createMemoryStreamStore, err, isStreamWriteError } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const workflow = createWorkflow('writing', {}, { streamStore: createMemoryStreamStore() });

const result = await workflow.run(async ({ step }) => {
  const writer = step.getWritable({ namespace: 'ai-response' });
  const writeResult = await writer.write('token1');
  if (!writeResult.ok) return err(writeResult.error);
  await writer.write('token2');

  for (const value of [10n, 'late']) {
    if (value === 'late') await writer.close();
    const refused = await writer.write(value);
    if (refused.ok || !isStreamWriteError(refused.error)) continue;
    switch (refused.error.reason) {
      case 'closed':
        console.log('Stream already closed');
        break;
      case 'unserialisable':
        console.log('JSON cannot carry this value');
        break;
      case 'store_error':
        console.log('Storage failed:', refused.error.cause);
        break;
      default:
        console.log('Refused:', refused.error.message);
    }
  }
  return writer.position;
});
console.log(result);

/* Prints:
JSON cannot carry this value
Stream already closed
{ ok: true, value: 2 }
*/
