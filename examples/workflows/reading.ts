/** Reading inside a run: item by item, from a position, and as an async iterable. */
import { createMemoryStreamStore, isStreamEnded, toAsyncIterable } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const workflow = createWorkflow('reading', {}, { streamStore: createMemoryStreamStore() });

await workflow.run(async ({ step }) => {
  const writer = step.getWritable<string>({ namespace: 'tokens' });
  for (const token of ['one', 'two', 'three']) await writer.write(token);
  await writer.close();

  const reader = step.getReadable<string>({ namespace: 'tokens' });
  let item = await reader.read();
  while (item.ok) {
    console.log(item.value);
    item = await reader.read();
  }
  if (isStreamEnded(item.error)) console.log('Stream finished at position', item.error.finalPosition);

  const lastPosition = 0;
  const rest = step.getReadable<string>({ namespace: 'tokens', startIndex: lastPosition + 1 });
  for await (const token of toAsyncIterable(rest)) console.log('again:', token);
});

/* Prints:
one
two
three
Stream finished at position 3
again: two
again: three
*/
