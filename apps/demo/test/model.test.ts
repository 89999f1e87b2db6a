import { expect, test } from 'vitest';

import { type AnswerEvent, EMPTY_ANSWER, foldAnswer } from '../src/lib/answer.ts';
import type { Question } from '../src/server/answer/answerer.ts';
import { createModelAnswerer, type ModelOptions } from '../src/server/answer/model.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { fakeEndpoint, type Script } from './fake-endpoint.ts';
import { temporaryFolder } from './folder.ts';

const QUESTION: Question = { text: 'What does the oak drop?', history: [] };

/** Runs one answer to its end; `error` is what it threw. */
async function run(
  options: Partial<ModelOptions>,
  { question = QUESTION, signal = new AbortController().signal, onText = () => {}, written = EMPTY_ANSWER } = {},
) {
  const base = await temporaryFolder({ 'trees.md': '# Trees\n\n## Oak\n\nThe oak drops acorns.\n' });
  const corpus = createCorpus({ base, paths: [''] });
  const answerer = createModelAnswerer({
    corpus,
    baseUrl: 'http://127.0.0.1:9/v1',
    apiKey: 'sk-secret',
    model: 'tiny',
    maxRetries: 0,
    ...options,
  });
  const events: AnswerEvent[] = [];
  let error: unknown = null;
  try {
    const findings = await answerer.find(question);
    for await (const event of answerer.answer({ question, findings, written }, signal)) {
      events.push(event);
      if (event.type === 'text') onText();
    }
  } catch (thrown) {
    error = thrown;
  }
  return { error, events, ...events.reduce(foldAnswer, EMPTY_ANSWER) };
}

const answerWith = async (...scripts: readonly [Script, ...Script[]]) => {
  const { baseUrl } = await fakeEndpoint(...scripts);
  return run({ baseUrl });
};

const wholeAnswer: Script = (reply) => {
  for (const piece of ['The oak ', 'drops ', 'acorns [1].']) reply.delta(piece);
  reply.finish('stop');
  reply.usage();
  reply.done();
};

test('streams an answer, with the passages it was given as sources', async () => {
  const { error, text, sources, answerer } = await answerWith(wholeAnswer);
  expect(error).toBeNull();
  expect(text).toBe('The oak drops acorns [1].');
  expect(sources).toMatchObject([{ file: 'trees.md', headings: ['Oak'] }]);
  expect(answerer).toEqual({ kind: 'model', name: 'tiny' });
});

test('asks with the key, the model, numbered passages and the conversation so far', async () => {
  const { baseUrl, seen } = await fakeEndpoint(wholeAnswer);
  await run({ baseUrl }, { question: { ...QUESTION, history: [{ question: 'Hello?', answer: 'Hi.' }] } });
  expect(seen).toHaveLength(1);
  const [{ url, authorization, body }] = seen as [(typeof seen)[0]];
  expect(url).toBe('POST /v1/chat/completions');
  expect(authorization).toBe('Bearer sk-secret');
  expect(body.model).toBe('tiny');
  expect(body.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  expect(body.messages[1]?.content).toBe('Hello?');
  expect(body.messages[3]?.content).toBe(
    '[1] Trees > Oak (trees.md)\nThe oak drops acorns.\n\nQuestion: What does the oak drop?',
  );
});

const BEGUN = { answerer: { kind: 'model', name: 'tiny' }, sources: [], text: 'The oak ' } as const;

test('goes on with an answer that was cut short where the endpoint can', async () => {
  const { baseUrl, seen } = await fakeEndpoint((reply) => {
    reply.delta('drops acorns [1].');
    reply.finish('stop');
    reply.done();
  });
  const { error, events } = await run({ baseUrl, prefill: true }, { written: BEGUN });
  expect({ error, events }).toEqual({ error: null, events: [{ type: 'text', delta: 'drops acorns [1].' }] });
  expect(seen[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'The oak ' });
});

test.each([
  ['the endpoint is not said to', { prefill: false }, /OPENAI_PREFILL/],
  ['another model began it', { prefill: true, model: 'large' }, /by “tiny”.*answers with “large”/],
])('does not go on with an answer when %s, and asks nobody', async (_, options, message) => {
  const { baseUrl, seen } = await fakeEndpoint(wholeAnswer);
  const { error, events } = await run({ baseUrl, ...options }, { written: BEGUN });
  expect(error).toMatchObject({ code: 'CANNOT_CONTINUE', message: expect.stringMatching(message) });
  expect(events).toEqual([]);
  expect(seen).toEqual([]);
});

test('reads chunks however the network cuts them', async () => {
  const { text, error } = await answerWith(async (reply) => {
    const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Grüße 🌱' }, finish_reason: null }] })}\n\n`;
    for (const part of event.match(/.{1,7}/gsu) ?? []) {
      reply.raw(part);
      await new Promise(setImmediate);
    }
    reply.raw(': a comment\n\n');
    reply.finish('stop');
    reply.done();
  });
  expect({ text, error }).toEqual({ text: 'Grüße 🌱', error: null });
});

test.each([
  [401, 'MODEL_UNAUTHORISED', /OPENAI_API_KEY/],
  [403, 'MODEL_UNAUTHORISED', /OPENAI_API_KEY/],
  [404, 'MODEL_NOT_FOUND', /tiny.*OPENAI_MODEL/],
  [429, 'MODEL_BUSY', /limiting requests/],
  [400, 'MODEL_REFUSED', /status 400/],
  [503, 'MODEL_FAILED', /status 503/],
])('explains status %i as %s, and repeats nothing of the response', async (status, code, message) => {
  const { error, text } = await answerWith((reply) => reply.fail(status, 'internal detail: key sk-secret'));
  expect(error).toMatchObject({ name: 'PublicError', code, message: expect.stringMatching(message) });
  expect(String(error)).not.toMatch(/internal detail|sk-secret/);
  expect(text).toBe('');
});

test('repeats a request that failed before its answer began', async () => {
  const { baseUrl, seen } = await fakeEndpoint(
    (reply) => reply.fail(503, 'warming up', { 'retry-after-ms': '1' }),
    wholeAnswer,
  );
  const { error, text } = await run({ baseUrl, maxRetries: 1 });
  expect({ error, text }).toEqual({ error: null, text: 'The oak drops acorns [1].' });
  expect(seen).toHaveLength(2);
});

test('explains an endpoint that is not there', async () => {
  const { baseUrl, host, stop } = await fakeEndpoint(wholeAnswer);
  await stop();
  const { error } = await run({ baseUrl });
  expect(error).toMatchObject({
    code: 'MODEL_UNREACHABLE',
    message: expect.stringContaining(`${host} cannot be reached. Check OPENAI_BASE_URL`),
  });
});

test.each<[string, Script]>([
  ['the connection breaks', (reply) => reply.cut()],
  ['the response just ends', (reply) => reply.end()],
  ['[DONE] comes without a reason to end', (reply) => reply.done()],
])('fails an answer when %s in the middle of it', async (_, ending) => {
  const arrived = Promise.withResolvers<void>();
  const { baseUrl } = await fakeEndpoint(async (reply) => {
    reply.delta('The oak ');
    await arrived.promise;
    await ending(reply);
  });
  const { error, text } = await run({ baseUrl }, { onText: arrived.resolve });
  expect(error).toMatchObject({ code: 'MODEL_CUT' });
  expect(text).toBe('The oak ');
});

test.each([
  ['length', 'MODEL_LENGTH'],
  ['content_filter', 'MODEL_FILTERED'],
  ['tool_calls', 'MODEL_BAD_RESPONSE'],
])('fails an answer that ends for reason %s', async (reason, code) => {
  const { error, text } = await answerWith((reply) => {
    reply.delta('The oak ');
    reply.finish(reason);
    reply.done();
  });
  expect(error).toMatchObject({ code });
  expect(text).toBe('The oak ');
});

test.each<[string, string, Script]>([
  ['JSON that is cut', 'MODEL_BAD_RESPONSE', (reply) => reply.raw('data: {"choices": [\n\n')],
  [
    'a chunk of another shape',
    'MODEL_BAD_RESPONSE',
    (reply) => reply.raw('data: {"choices": [{"delta": {"content": 5}}]}\n\n'),
  ],
  [
    'an error',
    'MODEL_FAILED',
    (reply) => reply.raw('data: {"error": {"message": "internal detail", "type": "server_error"}}\n\n'),
  ],
])('fails an answer when the stream carries %s', async (_, code, send) => {
  const { error, text } = await answerWith(async (reply) => {
    reply.delta('The oak ');
    await send(reply);
    reply.done();
  });
  expect(error).toMatchObject({ name: 'PublicError', code });
  expect(String(error)).not.toContain('internal detail');
  expect(text).toBe('The oak ');
});

test('fails when the endpoint sends a web page instead of an answer', async () => {
  const { error } = await answerWith((reply) => reply.page('<h1>Welcome</h1>'));
  expect(error).toMatchObject({ code: 'MODEL_BAD_RESPONSE', message: expect.stringMatching(/OPENAI_BASE_URL/) });
});

test('fails an answer that falls silent', async () => {
  const { baseUrl } = await fakeEndpoint((reply) => reply.delta('The oak '));
  const { error, text } = await run({ baseUrl, silenceMs: 50 });
  expect(error).toMatchObject({ code: 'MODEL_TIMEOUT' });
  expect(text).toBe('The oak ');
});

test('hangs up when it is told to stop, without an error', async () => {
  const abort = new AbortController();
  const left = Promise.withResolvers<void>();
  const { baseUrl } = await fakeEndpoint((reply) => {
    void reply.left.then(left.resolve);
    reply.delta('The oak ');
  });
  const { error, text } = await run({ baseUrl }, { signal: abort.signal, onText: () => abort.abort() });
  expect({ error, text }).toEqual({ error: null, text: 'The oak ' });
  await left.promise;
});
