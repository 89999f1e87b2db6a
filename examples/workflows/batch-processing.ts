/** Items with bounded concurrency. A retry, or another process after a crash, goes on behind the last checkpoint. */
import { createMemoryStreamStore, ok, type Result } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

interface Order {
  readonly id: number;
}

let broken = true;
let calls = 0;
async function processOrder({ id }: Order): Promise<number> {
  calls++;
  if (id === 27 && broken) {
    broken = false;
    throw new Error('The shop was away.');
  }
  return id;
}

const workflow = createWorkflow('orders', { processOrder }, { streamStore: createMemoryStreamStore() });

const result = await workflow.run(async ({ step, deps }) => {
  const writer = step.getWritable<Order>({ namespace: 'orders' });
  for (let id = 0; id < 40; id++) await writer.write({ id });
  await writer.close();

  const processed = await step.streamForEach(
    step.getReadable<Order>({ namespace: 'orders' }),
    async (order): Promise<Result<number, never>> => ok(await deps.processOrder(order)),
    { name: 'process-orders', concurrency: 5, checkpointInterval: 10, retry: { delayMs: 10 } },
  );
  if (processed.ok) console.log(`Processed ${processed.value.processedCount} orders`);
});
console.log(result.ok, calls < 60);

/* Prints:
Processed 40 orders
true true
*/
