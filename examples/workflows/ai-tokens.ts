/** Tokens of a step: seen live while the model speaks, and each there once, though the first attempt broke off. */
import { collect, createMemoryStreamStore } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

interface Generate {
  readonly prompt: string;
  readonly onToken: (token: string) => Promise<void>;
}

let calls = 0;
/** Stands for a model's SDK; its first connection breaks. */
async function generateAI({ onToken }: Generate): Promise<string> {
  const isFirst = ++calls === 1;
  for (const token of ['A ', 'type ', 'is ', 'a ', 'promise.']) {
    if (isFirst && token === 'is ') throw new Error('connection reset');
    await onToken(token);
  }
  return 'stop';
}

const workflow = createWorkflow('answer', { generateAI }, { streamStore: createMemoryStreamStore() });

const run = workflow.start(async ({ step, deps }) => {
  const writer = step.getWritable<string>({ namespace: 'ai-tokens' });
  const finishReason = await step(
    'generateAI',
    () =>
      deps.generateAI({
        prompt: 'Explain TypeScript',
        onToken: async (token) => {
          await writer.write(token);
        },
      }),
    { key: 'generate', retry: { attempts: 3, delayMs: 10 } },
  );
  await writer.close();
  return finishReason;
});

console.log(await run.result);
console.log((await collect(run.reader<string>({ namespace: 'ai-tokens' }))).join(''));

/* Prints:
{ ok: true, value: 'stop' }
A type is a promise.
*/
