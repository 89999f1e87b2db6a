/** A producer run and a consumer run. Without ids, the consumer reads the latest run of this workflow that opened the namespace. */
import { collect, createMemoryStreamStore, filter, map, toAsyncIterable } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

interface Generate {
  readonly prompt: string;
  readonly onToken: (token: string, score: number) => Promise<void>;
}

/** Stands for a model's SDK. */
async function generateTokens({ onToken }: Generate): Promise<void> {
  for (const [token, score] of [
    ['Streams ', 0.9],
    ['maybe ', 0.4],
    ['never ', 0.95],
    ['forget.', 0.85],
  ] as const)
    await onToken(token, score);
}

const streamStore = createMemoryStreamStore();
const workflow = createWorkflow('workflow', { generateTokens }, { streamStore });

// Producer workflow
const producerResult = await workflow.run(async ({ step, deps }) => {
  const writer = step.getWritable<{ token: string; score: number }>({ namespace: 'ai-output' });
  await step(
    'generateTokens',
    () =>
      deps.generateTokens({
        prompt: 'Explain streaming',
        onToken: async (token, score) => {
          await writer.write({ token, score });
        },
      }),
    { key: 'generate' },
  );
  await writer.close();
  return { status: 'complete' };
});

// Consumer (can run concurrently or later)
const consumerResult = await workflow.run(async ({ step }) => {
  const reader = step.getReadable<{ token: string; score: number }>({ namespace: 'ai-output' });
  // Filter high-confidence tokens and extract text
  const highConfidence = filter(toAsyncIterable(reader), (item) => item.score > 0.8);
  const tokens = map(highConfidence, (item) => item.token);
  const text = (await collect(tokens)).join('');
  return { text };
});

console.log(producerResult);
console.log(consumerResult);

/* Prints:
{ ok: true, value: { status: 'complete' } }
{ ok: true, value: { text: 'Streams never forget.' } }
*/
