import { expect, test } from 'vitest';

import { type Answer, type AnswerEvent, EMPTY_ANSWER, foldAnswer } from '../src/lib/answer.ts';
import { createOfflineAnswerer } from '../src/server/answer/offline.ts';
import { paced } from '../src/server/answer/pace.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { temporaryFolder } from './folder.ts';

const DOCUMENTS = {
  'leases.md': `# Leases

## What is a lease?

A lease is a promise to give a sign of life. It lapses after \`leaseMs\` (e.g. 5 s) without one. Bananas are yellow.

\`\`\`ts
const lease = renew();
\`\`\`

## How do I renew a lease?

Call **renew** in time. Steps of a lease renewal:

1. Wait.
2. Renew the lease.
`,
  'other.md': '# Other\n\n## Weather\n\nIt rains.\n',
};

interface AnswerCase {
  readonly files?: Readonly<Record<string, string>>;
  /** What was there before a crash. */
  readonly written?: Answer;
}

async function answer(question: string, { files = DOCUMENTS, written = EMPTY_ANSWER }: AnswerCase = {}) {
  const base = await temporaryFolder(files);
  const answerer = createOfflineAnswerer({ corpus: createCorpus({ base, paths: [''] }), wordsPerSecond: 0 });
  const events: AnswerEvent[] = [];
  const task = { question: { text: question, history: [] }, written };
  const findings = await answerer.find(task.question);
  for await (const event of answerer.answer({ ...task, findings }, new AbortController().signal)) events.push(event);
  return { events, ...events.reduce(foldAnswer, EMPTY_ANSWER) };
}

test('quotes the best passage with its code, cites it, and says who answers', async () => {
  const { text, sources, answerer } = await answer('What is a lease?');
  expect(answerer).toEqual({ kind: 'offline', name: 'Extracts' });
  expect(text).toContain('A lease is a promise to give a sign of life.');
  expect(text).toContain('It lapses after `leaseMs` (e.g. 5 s) without one.');
  expect(text).toContain('[1]\n\n```ts\nconst lease = renew();\n```');
  expect(sources[0]).toMatchObject({ file: 'leases.md', headings: ['What is a lease?'], line: 3 });
});

test('has one source for each number, in order', async () => {
  const { text, sources } = await answer('How do I renew a lease?');
  const numbers = [...text.matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n));
  expect(numbers).toEqual(sources.map((_, index) => index + 1));
  expect(text).toContain('**What is a lease?**');
});

test('gives the same answer each time', async () => {
  expect((await answer('What is a lease?')).text).toBe((await answer('What is a lease?')).text);
});

test('sends its sources first, then word by word, nothing lost', async () => {
  const { events, text } = await answer('What is a lease?');
  expect(events[0]?.type).toBe('sources');
  const deltas = events.slice(1).map((event) => (event.type === 'text' ? event.delta : 'not a text'));
  expect(deltas.join('')).toBe(text);
  expect(deltas.every((delta) => delta.trim().split(/\s+/).length === 1)).toBe(true);
});

test('says so when nothing matches, without sources', async () => {
  const { text, sources } = await answer('Who won the chess tournament?');
  expect(text).toMatch(/^I found nothing about this/);
  expect(sources).toEqual([]);
});

test('says so when there are no documents', async () => {
  const { text, sources } = await answer('What is a lease?', { files: {} });
  expect(text).toMatch(/^There are no documents/);
  expect(sources).toEqual([]);
});

test('goes on at any word where it was cut short, to the same answer', async () => {
  const { events, text } = await answer('What is a lease?');
  for (let count = 0; count <= events.length; count++) {
    const written = events.slice(0, count).reduce(foldAnswer, EMPTY_ANSWER);
    const { events: rest } = await answer('What is a lease?', { written });
    expect(rest).toEqual(events.slice(count));
    expect(rest.reduce(foldAnswer, written).text).toBe(text);
  }
});

test.each([
  [{ text: 'Another text', answerer: { kind: 'offline', name: 'Extracts' } }, /another version/],
  [{ text: 'A lease', answerer: { kind: 'model', name: 'tiny' } }, /by “tiny”.*answers with “Extracts”/],
] as const)('fails an answer that it cannot go on with, and writes nothing to it', async (begun, message) => {
  const written = { ...EMPTY_ANSWER, ...begun };
  await expect(answer('What is a lease?', { written })).rejects.toMatchObject({
    name: 'PublicError',
    code: 'CANNOT_CONTINUE',
    message: expect.stringMatching(message),
  });
});

test('paces words evenly from the start, and catches up after a pause', async () => {
  let time = 1_000;
  const waits: number[] = [];
  const words = paced('one two three four', {
    wordsPerSecond: 10,
    signal: new AbortController().signal,
    now: () => time,
    waitUntil: async (until) => {
      waits.push(until);
      time = Math.max(time, until);
    },
  });
  const seen: string[] = [];
  for await (const word of words) {
    seen.push(word);
    if (word.trim() === 'two') time += 5_000;
  }
  expect(seen.join('')).toBe('one two three four');
  expect(waits).toEqual([1_000, 1_100, 1_200, 1_300]);
});

test('stops between two words when asked to', async () => {
  const abort = new AbortController();
  const seen: string[] = [];
  for await (const word of paced('one two three', { wordsPerSecond: 1_000, signal: abort.signal })) {
    seen.push(word);
    if (word.trim() === 'two') abort.abort();
  }
  expect(seen.join('')).toBe('one two ');
});

test('does not wait out a pause once it is to stop', async () => {
  const abort = new AbortController();
  const words = paced('one two', { wordsPerSecond: 0.000_1, signal: abort.signal });
  expect((await words.next()).value).toBe('one ');
  const next = words.next();
  abort.abort();
  expect((await next).done).toBe(true);
});
