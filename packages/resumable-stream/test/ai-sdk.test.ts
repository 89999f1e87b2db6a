/** The README's example, with the AI SDK itself and a model that says sixty words. */
import { createMemoryStreamStore } from '@perennial/core';
import { simulateReadableStream, streamText } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { expect, test } from 'vitest';

import { createResumableStreamContext, type ResumableStreamContext } from '../src/index.ts';
import { listen } from './support.ts';

const WORDS = 60;
const usage = { inputTokens: { total: 1 }, outputTokens: { total: WORDS } };

/** A model that says a word every few ms, and the signals it was called with. */
function createModel() {
  const signals: (AbortSignal | undefined)[] = [];
  const words = Array.from({ length: WORDS }, (_, n) => ({ type: 'text-delta', id: '1', delta: `word${n} ` }));
  const model = new MockLanguageModelV4({
    doStream: async ({ abortSignal }) => {
      signals.push(abortSignal);
      const chunks = [
        { type: 'stream-start', warnings: [] },
        { type: 'text-start', id: '1' },
        ...words,
        { type: 'text-end', id: '1' },
        { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
      ];
      return { stream: simulateReadableStream({ chunkDelayInMs: 15, chunks: chunks as never[] }) };
    },
  });
  return { model, signals };
}

function answer(streams: ResumableStreamContext, model: MockLanguageModelV4): Response {
  const stop = new AbortController();
  const result = streamText({ model, prompt: 'Say sixty words.', abortSignal: stop.signal });
  return result.toUIMessageStreamResponse({
    async consumeSseStream({ stream }) {
      await streams.createNewResumableStream('answer', (signal) => {
        signal.addEventListener('abort', () => stop.abort(signal.reason));
        return stream;
      });
    },
  });
}

function contexts(): readonly [ResumableStreamContext, ResumableStreamContext] {
  const store = createMemoryStreamStore();
  const open = () => createResumableStreamContext({ waitUntil: null, store });
  return [open(), open()];
}

async function resume(streams: ResumableStreamContext) {
  await expect.poll(() => streams.hasExistingStream('answer'), { interval: 10 }).toBe(true);
  return listen(await streams.resumeExistingStream('answer'));
}

test('who resumes an answer gets the same bytes as who asked', async () => {
  const [here, there] = contexts();
  const asked = answer(here, createModel().model).text();
  const resumed = await resume(there);
  await resumed.until(500);
  expect(await resumed.all).toBe(await asked);
  expect(resumed.text).toContain(`word${WORDS - 1} `);
  expect(await there.resumeExistingStream('answer')).toBe(null);
});

test('who stops an answer stops the model', async () => {
  const [here, there] = contexts();
  const { model, signals } = createModel();
  const asked = answer(here, model).text();
  const resumed = await resume(there);
  await resumed.until(500);
  expect(await there.stopStream('answer', 'the user pressed Stop')).toBe(true);
  expect(await resumed.all).not.toContain(`word${WORDS - 1} `);
  expect(await asked).not.toContain(`word${WORDS - 1} `);
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  expect(await there.hasExistingStream('answer')).toBe('DONE');
});
