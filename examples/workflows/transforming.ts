/** Transformers are lazy: each pulls from the one before it, and stops it when it has enough. */
import { chunk, collect, createMemoryStreamStore, filter, map, pipe, reduce, skip, take } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const workflow = createWorkflow('numbers', {}, { streamStore: createMemoryStreamStore() });

await workflow.run(async ({ step }) => {
  const writer = step.getWritable<number>({ namespace: 'numbers' });
  for (let n = 1; n <= 25; n++) await writer.write(n);
  await writer.close();
  const numbers = () => step.getReadable<number>({ namespace: 'numbers' });

  const evens = filter(numbers(), (n) => n % 2 === 0);
  for await (const value of take(
    map(evens, (n) => n * 2),
    3,
  ))
    console.log(value);
  for await (const batch of chunk(numbers(), 10)) console.log('batch of', batch.length);
  console.log(await collect(take(skip(numbers(), 5), 3)));
  console.log(await reduce(numbers(), (sum, n) => sum + n, 0));
  console.log(
    await collect(
      pipe(
        numbers(),
        (s) => filter(s, (n) => n % 2 === 0),
        (s) => map(s, (n) => n * 2),
        (s) => take(s, 4),
      ),
    ),
  );
});

/* Prints:
4
8
12
batch of 10
batch of 10
batch of 5
[ 6, 7, 8 ]
325
[ 4, 8, 12, 16 ]
*/
