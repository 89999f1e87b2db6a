/** What a run tells of itself, for logs and metrics. */
import { createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const workflow = createWorkflow(
  'answer',
  {},
  {
    streamStore: createMemoryStreamStore(),
    onEvent: (event) => {
      switch (event.type) {
        case 'stream_created':
          console.log(`Stream ${event.namespace} created`);
          break;
        case 'stream_write':
          console.log(`Wrote to ${event.namespace} at position ${event.position}`);
          break;
        case 'stream_close':
          console.log(`Stream ${event.namespace} closed`);
          break;
        default:
      }
    },
  },
);

await workflow.run(async ({ step }) => {
  const writer = step.getWritable<string>({ namespace: 'tokens' });
  await writer.write('a');
  await writer.flush();
  await writer.write('b');
  await writer.close();
});

/* Prints:
Wrote to tokens at position 0
Stream tokens created
Wrote to tokens at position 1
Stream tokens closed
*/
