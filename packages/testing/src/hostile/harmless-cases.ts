import assert from 'node:assert/strict';

import { streamUrl } from '@perennial/core/http';
import { type ParsedSseEvent, parseSse } from '@perennial/core/sse';

import { HOSTILE_IDS } from '../conformance/cases/hostile.ts';
import { fingerprint } from './bystanders.ts';
import type { HostileCase, HostileContext } from './hostile-case.ts';
import { type RawHeader } from './hostile-request.ts';
import { HOSTILE_PAYLOADS, HOSTILE_TEXTS, type HostilePayload } from './payloads.ts';
import { type RawAnswer, sendRaw } from './raw-request.ts';
import { assertNothingLeaks } from './refusal-cases.ts';

interface Sent {
  readonly headers?: readonly RawHeader[];
  readonly body?: string;
}

/** Sends a request for a stream, which has to succeed. */
async function send(
  { url, secrets }: HostileContext,
  method: string,
  path: string,
  sent: Sent = {},
): Promise<RawAnswer> {
  const { pathname, search } = new URL(path.startsWith('http') ? path : `${url}/${path}`);
  const answer = await sendRaw(new URL(url), { method, target: `${pathname}${search}`, ...sent });
  assert.ok(answer, 'The request had to be answered');
  assert.ok(answer.status < 300, `${method} ${path} had to succeed; the answer was ${answer.status} ${answer.body}`);
  assertNothingLeaks(answer, secrets);
  for (const name of ['set-cookie', 'injected', 'event', 'data'])
    assert.ok(!answer.headers.has(name), `A header was injected: ${answer.text.slice(0, 500)}`);
  return answer;
}

async function eventsOf(answer: RawAnswer): Promise<readonly ParsedSseEvent[]> {
  const events: ParsedSseEvent[] = [];
  const body = new Response(answer.body).body;
  if (body) for await (const event of parseSse(body)) events.push(event);
  return events;
}

/** One line break in server-sent events, three in text. */
const oneLineBreak = (text: string): string => text.replaceAll(/\r\n?/g, '\n');

/** Follows a closed stream by server-sent events, which have to be data and control events and nothing else. */
async function assertSse(context: HostileContext, path: string, { contentType, body }: HostilePayload): Promise<void> {
  const answer = await send(context, 'GET', `${path}?live=sse&offset=-1`);
  const events = await eventsOf(answer);
  assert.deepEqual(
    events.map(({ event }) => event),
    events.map((_, index) => (index % 2 === 0 ? 'data' : 'control')),
    `Pairs of data and control: ${answer.body}`,
  );
  for (const { id } of events) assert.match(id ?? '', /^\d{16}_\d{16}$/);
  const controls = events.filter(({ event }) => event === 'control').map(({ data }) => JSON.parse(data) as object);
  assert.ok('streamClosed' in (controls.at(-1) ?? {}), 'The stream ends where it was closed');
  assert.equal(controls.filter((control) => 'streamClosed' in control).length, 1);
  const data = events.filter(({ event }) => event === 'data').map((event) => event.data);
  const encoding = answer.headers.get('stream-sse-data-encoding');
  const received = encoding === 'base64' ? Buffer.from(data.join(''), 'base64').toString() : data.join('');
  const expected = contentType === 'application/json' ? `[${body}]` : body;
  assert.equal(received, encoding === 'base64' ? expected : oneLineBreak(expected));
}

const payloadCases: readonly HostileCase[] = HOSTILE_PAYLOADS.map((payload, index) => ({
  group: 'payloads that are only data',
  name: `${index} ${payload.contentType} ${JSON.stringify(payload.body).slice(0, 70)}`,
  async check(context) {
    const before = await fingerprint(context.store);
    const headers: readonly RawHeader[] = [
      ['Content-Type', payload.contentType],
      ['Stream-Closed', 'true'],
    ];
    const json = payload.contentType === 'application/json';
    const body = json ? `[${payload.body}]` : payload.body;
    await send(context, 'PUT', 'payload', { headers, body });
    const page = await send(context, 'GET', 'payload?offset=-1');
    assert.equal(page.body, body);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const inert = json || payload.contentType === 'text/plain';
    if (!inert) assert.match(page.headers.get('content-disposition') ?? '', /^attachment/);
    await assertSse(context, 'payload', payload);
    await send(context, 'DELETE', 'payload');
    assert.equal(await fingerprint(context.store), before);
    assert.equal(Reflect.get({}, 'polluted'), undefined, 'No prototype was touched');
  },
}));

const textCases: readonly HostileCase[] = HOSTILE_TEXTS.map((text, index) => ({
  group: 'texts in ends, reasons and producers',
  name: `${index} ${JSON.stringify(text).slice(0, 70)}`,
  async check(context) {
    const before = await fingerprint(context.store);
    const json: RawHeader = ['Content-Type', 'application/json'];
    await send(context, 'PUT', 'payload', { headers: [json] });
    await send(context, 'POST', 'payload?perennial-cancel', {
      headers: [json],
      body: JSON.stringify({ reason: text }),
    });
    assert.equal((await context.store.head('payload'))?.cancel?.reason, text);
    const end = { outcome: 'failed', error: { code: text, message: text, public: true } };
    const escaped = JSON.stringify(end).replaceAll(
      /[\u007f-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const closing: readonly RawHeader[] = [json, ['Stream-Closed', 'true'], ['Perennial-End', escaped]];
    await send(context, 'POST', 'payload', { headers: closing, body: '1' });
    const page = await send(context, 'GET', 'payload?offset=-1');
    const shown = JSON.parse(page.headers.get('perennial-end') ?? '') as typeof end;
    assert.equal(shown.error.message, text.slice(0, 512));
    await assertSse(context, 'payload', { contentType: 'application/json', body: '1' });
    await send(context, 'DELETE', 'payload');
    assert.equal(await fingerprint(context.store), before);
  },
}));

const ids = Object.entries(HOSTILE_IDS).flatMap(([what, list]) => [...new Set(list)].map((id) => ({ what, id })));

const idCases: readonly HostileCase[] = ids.map(({ what, id }) => ({
  group: `ids with ${what}`,
  name: JSON.stringify(id),
  async check(context) {
    const before = await fingerprint(context.store);
    const path = streamUrl(context.url, id);
    const headers: readonly RawHeader[] = [['Content-Type', 'application/json']];
    await send(context, 'PUT', path, { headers, body: JSON.stringify([id]) });
    const page = await send(context, 'GET', path);
    assert.equal(page.body, JSON.stringify([id]));
    assert.equal((await context.store.head(id))?.nextPosition, 1, 'The stream has the id that the URL names');
    await send(context, 'DELETE', path);
    assert.equal(await fingerprint(context.store), before, 'Another stream was touched');
  },
}));

/** Input that is legal and awkward: it is kept as it is, comes back as it is, and touches nothing else. */
export const harmlessCases: readonly HostileCase[] = [...payloadCases, ...textCases, ...idCases];
