/** A writer keeps at most `highWaterMark` items in memory. It waits for the store, never for a reader. */
import { createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const largeDataset = Array.from({ length: 10_000 }, (_, i) => `item ${i}`);
const workflow = createWorkflow('export', {}, { streamStore: createMemoryStreamStore() });

const result = await workflow.run(async ({ step }) => {
  const writer = step.getWritable<string>({
    namespace: 'tokens',
    highWaterMark: 16, // Pause after 16 buffered items
  });
  for (const item of largeDataset) {
    const written = await writer.write(item);
    if (!written.ok) break;
  }
  return writer.position;
});
console.log(result);

/* Prints:
{ ok: true, value: 10000 }
*/
