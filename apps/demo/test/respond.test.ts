import { PublicError, runJournalId, runStreamId, StreamError, StreamWriteError } from '@perennial/core';
import { expect, test, vi } from 'vitest';

import { answerRunId, answerStreamId, messagesStreamId } from '../src/lib/ids.ts';
import { askSchema } from '../src/lib/requests.ts';
import { authorise } from '../src/server/authorise.ts';
import { readBody, respond } from '../src/server/respond.ts';

function post(
  body: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Request {
  return new Request('http://localhost/api/chat', { method: 'POST', body, headers });
}

async function problemOf(request: Request) {
  const response = await respond(request, async () => Response.json(await readBody(request, askSchema)));
  return { status: response.status, ...(await response.json()) };
}

const VALID = { type: 'question', id: 'message-1', chatId: 'chat-0001', text: ' What? ' };

test('shows a public error, also one of another copy of the package', async () => {
  const foreign = Object.assign(new Error('There is no such folder.'), { code: 'INVALID_REQUEST', expose: true });
  const response = await respond(post('{}'), () => Promise.reject(foreign));
  expect({ status: response.status, ...(await response.json()) }).toEqual({
    status: 400,
    error: { code: 'INVALID_REQUEST', message: 'There is no such folder.' },
  });
});

test('takes a valid question, trimmed', async () => {
  expect(await problemOf(post(JSON.stringify(VALID)))).toEqual({ status: 200, ...VALID, text: 'What?' });
});

test.each([
  ['{', 'The body is not JSON.'],
  ['null', /^The request: /],
  [JSON.stringify({ ...VALID, text: '  ' }), 'text: must not be empty.'],
  [JSON.stringify({ ...VALID, text: 'x'.repeat(4_001) }), 'text: may have 4000 characters.'],
  [JSON.stringify({ ...VALID, chatId: '../../etc' }), 'chatId: must be 8 to 64 letters, digits, "-" or "_".'],
  [JSON.stringify({ ...VALID, id: 7 }), /^id: /],
  [JSON.stringify({ ...VALID, type: 'delete' }), /^type: /],
])('refuses the body %.40s by name', async (body, message) => {
  expect(await problemOf(post(body))).toEqual({
    status: 400,
    error: { code: 'INVALID_REQUEST', message: expect.stringMatching(message) },
  });
});

test('refuses other content types, which a foreign form could send', async () => {
  expect(await problemOf(post(JSON.stringify(VALID), { 'content-type': 'text/plain' }))).toMatchObject({ status: 400 });
});

test('refuses what a page of another site asks for', async () => {
  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' };
  expect(await problemOf(post(JSON.stringify(VALID), headers))).toMatchObject({
    status: 403,
    error: { code: 'FORBIDDEN' },
  });
});

test('shows public errors, and of others nothing but that there was one', async () => {
  const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const answer = async (error: Error) => {
    const response = await respond(post('{}'), async () => {
      throw error;
    });
    return { status: response.status, ...(await response.json()) };
  };
  expect(await answer(new PublicError('NOT_FOUND', 'Gone.'))).toEqual({
    status: 404,
    error: { code: 'NOT_FOUND', message: 'Gone.' },
  });
  expect(await answer(new StreamError('STORE_LOCKED', 'pid 7 on host'))).toMatchObject({
    status: 503,
    error: { code: 'STORE_LOCKED' },
  });
  const full = new StreamWriteError('/secret/path is full', { reason: 'store_error', code: 'STORE_FULL', position: 0 });
  expect(await answer(full)).toMatchObject({ status: 503, error: { code: 'STORE_FULL' } });
  const internal = await answer(new Error('secret path'));
  expect(internal).toMatchObject({ status: 500, error: { code: 'INTERNAL' } });
  expect(JSON.stringify(internal)).not.toContain('secret');
  expect(log.mock.calls.join('')).toContain('secret path');
});

test('lets this app read conversations and stop answers, and nothing else', () => {
  const may = (stream: string, action: string, site = 'same-origin'): boolean =>
    authorise(new Request('http://localhost/', { headers: { 'sec-fetch-site': site } }), { stream, action });
  const answer = answerStreamId('chat-0001', 'message-1');
  expect(may(messagesStreamId('chat-0001'), 'read')).toBe(true);
  expect(may(answer, 'read')).toBe(true);
  expect(may(answer, 'cancel')).toBe(true);
  expect(may(messagesStreamId('chat-0001'), 'cancel')).toBe(false);
  const run = answerRunId('chat-0001', 'message-1');
  const others = [runJournalId(run), runStreamId(run, 'other'), runStreamId('import', 'answer'), `${answer}/$journal`];
  for (const stream of [...others, `$open-runs/answer/${run}`]) {
    expect(may(stream, 'read')).toBe(false);
    expect(may(stream, 'cancel')).toBe(false);
  }
  for (const action of ['create', 'append', 'delete', 'list', 'mark']) expect(may(answer, action)).toBe(false);
  expect(may(answer, 'read', 'cross-site')).toBe(false);
});
