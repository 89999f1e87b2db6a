import { collectChunks } from '@perennial/actor';
import type { StreamChunk } from '@perennial/core';
import { expect, test } from 'vitest';

import { createDemoActors } from '../src/server/actors/registry.ts';
import { createModelAnswerer } from '../src/server/answer/model.ts';
import { createOfflineAnswerer } from '../src/server/answer/offline.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { fakeEndpoint, type Reply } from './fake-endpoint.ts';
import { temporaryFolder } from './folder.ts';

const DOCUMENTS = {
  'leases.md': `# Leases

## What is a lease?

A lease is a promise to give a sign of life. It lapses after a while. Bananas are yellow.

## How do I renew *it*?

Call renew in time. A lease that is renewed goes on.
`,
  'weather.md': '# Weather\n\n## Rain\n\nIt rains.\n',
};

/** Actors over a few documents: of extracts, or of a model at `baseUrl`. */
async function actors({ baseUrl }: { readonly baseUrl?: string } = {}) {
  const corpus = createCorpus({ base: await temporaryFolder(DOCUMENTS), paths: [''] });
  const answerer =
    baseUrl === undefined
      ? createOfflineAnswerer({ corpus, wordsPerSecond: 0 })
      : createModelAnswerer({ corpus, baseUrl, apiKey: 'none', model: 'tiny', maxRetries: 0 });
  return createDemoActors({ answerer, find: (question) => answerer.find(question), wordsPerSecond: 0 });
}

function textOf(chunks: readonly StreamChunk[]): string {
  return chunks.map((chunk) => (chunk.type === 'data' ? String(chunk.data) : '')).join('');
}

test('the researcher reports where the passages are, and hands on their sources', async () => {
  const chunks = await collectChunks((await actors()).get('researcher').stream('What is a lease?'));
  expect(textOf(chunks)).toBe(
    'Found 2 passages in 1 document:\n\n' +
      '- **What is a lease?**, `leases.md`, line 3 [1]\n' +
      '- **How do I renew it?**, `leases.md`, line 7 [2]',
  );
  expect(chunks[0]).toMatchObject({ type: 'progress', progress: { message: 'Searching the documents' } });
  expect(chunks.at(-1)).toMatchObject({
    type: 'complete',
    data: { question: { text: 'What is a lease?' }, sources: [{ line: 3 }, { line: 7 }] },
  });
});

test('the analyst counts, and quotes the closest sentence of each passage', async () => {
  const chunks = await collectChunks((await actors()).get('analyst').stream('How do I renew a lease?'));
  expect(textOf(chunks)).toBe(
    '3 of 5 sentences in 2 passages name what is asked for. The closest in each passage:\n\n' +
      '- A lease that is renewed goes on. [1] (2 of 2 terms)\n' +
      '- A lease is a promise to give a sign of life. [2] (1 of 2 terms)',
  );
});

test('each actor takes what the one before hands on', async () => {
  const registry = await actors();
  const research = await registry.get('researcher').execute('What is a lease?');
  const analysis = await registry.get('analyst').execute(research);
  const answer = await registry.get('writer').execute(analysis);
  expect(answer).toContain('A lease is a promise to give a sign of life.');
  expect(answer).toBe(await registry.get('writer').execute('What is a lease?'));
});

test('what nothing fits is said by each in its way', async () => {
  const registry = await actors();
  const say = async (type: string) => textOf(await collectChunks(registry.get(type).stream('Zeppelins over Mars?')));
  expect(await say('researcher')).toBe('Found no passage that fits the question.');
  expect(await say('analyst')).toBe('There is nothing to count: no passage fits the question.');
  expect(await say('writer')).toContain('I found nothing about this in the documents.');
});

test.each([{}, '', { question: 7 }, null, 7])('an input that is no question is refused: %j', async (input) => {
  const registry = await actors();
  for (const type of ['researcher', 'analyst', 'writer'])
    await expect(registry.get(type).execute(input)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(JSON.stringify(input)),
    });
});

test('with a model, analyst and writer are answered by it, and the writer is told the points', async () => {
  const say = (text: string) => (reply: Reply) => {
    reply.delta(text);
    reply.finish('stop');
    reply.done();
  };
  const { baseUrl, seen } = await fakeEndpoint(say('- It lapses [1]'), say('It lapses [1].'));
  const registry = await actors({ baseUrl });
  const analysis = await registry.get('analyst').execute('What is a lease?');
  expect(analysis).toMatchObject({ points: '- It lapses [1]' });
  expect(await registry.get('writer').execute(analysis)).toBe('It lapses [1].');
  const prompts = seen.map(({ body }) => body.messages.at(-1)?.content);
  expect(prompts[0]).toContain('List the key points');
  expect(prompts[1]).toMatch(/Question: What is a lease\?\n\nKey points .*\n- It lapses \[1\]$/s);
  // The researcher asks no model.
  await registry.get('researcher').execute('What is a lease?');
  expect(seen).toHaveLength(2);
});
