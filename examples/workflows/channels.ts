/** Results as they become available, by key: written in a workflow, read whole or value by value. */
import { createMemoryStreamStore } from '@perennial/core';
import {
  closeStream,
  createWorkflow,
  readStream,
  readStreamAsync,
  type RunContext,
  writeStream,
} from '@perennial/workflow';

const processItem = async (item: string): Promise<string> => item.toUpperCase();

const workflow = createWorkflow('process', { processItem }, { streamStore: createMemoryStreamStore() });

const processWorkflow = workflow.define(
  async (ctx: RunContext<{ processItem: typeof processItem }, readonly string[]>) => {
    for (const item of ctx.input) {
      const result = await ctx.step('process', () => ctx.deps.processItem(item));
      await writeStream(ctx, 'results', result);
    }
    await closeStream(ctx, 'results'); // Signal completion
    return 'done';
  },
);

// Blocks until the stream is closed, or the run inactive.
const handle = await processWorkflow.start({ input: ['a', 'b', 'c'] });
const read = await readStream<string>(handle, 'results');
if (read.ok) console.log(read.value.values, read.value.closed);

// Value by value, while they come.
for await (const { value, error, closed } of readStreamAsync<string>(handle, 'results')) {
  if (error) throw error;
  if (closed) break;
  console.log('Received:', value);
}
console.log(await handle.result);

/* Prints:
[ 'A', 'B', 'C' ] true
Received: A
Received: B
Received: C
{ ok: true, value: 'done' }
*/
