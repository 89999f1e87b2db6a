/** Bad requests get a typed 4xx that names what is wrong, and change nothing. */
import { formatOffset } from '@perennial/core/http';
import { beforeEach, describe, expect, it } from 'vitest';

import { createHarness, type Harness, seed } from './support/harness.ts';

interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
  /** @default 400 */
  readonly status?: number;
  /** @default 'INVALID_ARGUMENT' */
  readonly code?: string;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PRODUCER = { 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': '0' };
const get = (path: string, headers?: Record<string, string>): HostileRequest => ({
  method: 'GET',
  path,
  ...(headers && { headers }),
});
const post = (
  headers: Record<string, string>,
  body: BodyInit | undefined,
  rest: Partial<HostileRequest> = {},
): HostileRequest => ({
  method: 'POST',
  path: '/s',
  headers,
  ...(body !== undefined && { body }),
  ...rest,
});
const put = (headers: Record<string, string>, rest: Partial<HostileRequest> = {}): HostileRequest => ({
  method: 'PUT',
  path: '/new',
  headers,
  ...rest,
});

const OFFSETS = [
  '',
  '0',
  '1',
  '-2',
  '-1%20',
  'NOW',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '1e3',
  '0x10',
  '../..',
  '%00',
  '%0a',
  '%0d%0a',
  '%20',
  ',',
  ';',
  '%26',
  '%3D',
  '%3F',
  '%2F',
  '0_0',
  '0000000000000000',
  '0000000000000000_',
  '_0000000000000000',
  '0000000000000000_0000000000000000x',
  '-000000000000001_0000000000000000',
  '9999999999999999_0000000000000000',
  '9007199254740992_0000000000000000',
  '0000000000000000_0000000000000001',
  '0000000000000003_0000000000000001',
  '%F0%9F%98%80',
  '<script>',
  "'%20OR%201=1--",
  '${jndi}',
  '\u0660',
  'a'.repeat(5_000),
];

const LAST_EVENT_IDS = [
  '',
  '0',
  'x',
  '-1',
  'now',
  '0_0',
  formatOffset(0).slice(1),
  `${formatOffset(0)},${formatOffset(1)}`,
  'a'.repeat(2_000),
  formatOffset(0, 1),
];

const REQUESTS: readonly HostileRequest[] = [
  ...OFFSETS.map((offset) => get(`/s?offset=${offset}`)),
  ...['0', '0_0', formatOffset(0, 1)].flatMap((offset) => [
    get(`/s?live=sse&offset=${offset}`),
    get(`/s?live=long-poll&offset=${offset}`),
  ]),
  ...LAST_EVENT_IDS.map((id) => get('/s?live=sse&offset=-1', { 'Last-Event-ID': id })),
  get(`/s?perennial-view=records&offset=${formatOffset(0, 1)}`),

  // Parameters
  get('/s?offset=-1&offset=-1'),
  get('/s?live=sse'),
  get('/s?live=long-poll'),
  get('/s?live=websocket&offset=-1'),
  get('/s?live=&offset=-1'),
  get('/s?live=sse&live=sse&offset=-1'),
  get('/s?perennial-view=committed'),
  get('/s?perennial-view='),
  get('/s?perennial-view=records&perennial-view=store'),
  get('/s?perennial-last=-1'),
  get('/s?perennial-last=1.5'),
  get('/s?perennial-last=1e3'),
  get('/s?perennial-last=99999999999999999999'),
  get('/s?perennial-last=x'),
  get('/s?perennial-last=1&offset=-1'),
  get('/s?perennial-view=store'),
  get('/s?perennial-view=store&perennial-from=-1'),
  get('/s?perennial-view=store&perennial-from=0&perennial-limit=0'),
  get('/s?perennial-view=store&perennial-from=0&perennial-limit=x'),
  get('/s?perennial-view=store&perennial-wait=soon'),
  get('/s?perennial-view=store&perennial-wait=0&perennial-timeout=-5'),
  get('/s?perennial-view=store&perennial-producer='),
  get('/?perennial-list&perennial-limit=-1'),
  get('/?perennial-list&perennial-view=records'),
  get('/?perennial-list&perennial-prefix=a&perennial-prefix=b'),

  // Paths
  get('/%'),
  get('/%zz'),
  get('/%C3%28'),
  get('/%ED%A0%80'),
  get('/%c0%ae%c0%ae/etc'),
  get('/a/%E0%80%AF'),
  get(`/${'x'.repeat(2_049)}`),
  get('/?perennial-stream='),
  get(`/?perennial-stream=${'x'.repeat(2_049)}`),
  { ...get('/..%2f..%2fetc%2fpasswd'), status: 404, code: 'NOT_FOUND' },
  { ...get('/%2e%2e%2f%2e%2e'), status: 404, code: 'NOT_FOUND' },
  { ...get('/s%00'), status: 404, code: 'NOT_FOUND' },
  { ...get('/S'), status: 404, code: 'NOT_FOUND' },
  { ...get('/s/'), status: 404, code: 'NOT_FOUND' },
  { ...get('//s'), status: 404, code: 'NOT_FOUND' },
  { ...get('/'), status: 404, code: 'NOT_FOUND' },
  { ...get('/__proto__'), status: 404, code: 'NOT_FOUND' },
  { ...get('/constructor'), status: 404, code: 'NOT_FOUND' },
  { method: 'PATCH', path: '/s', status: 405, code: 'UNSUPPORTED' },
  { method: 'PROPFIND', path: '/s', status: 405, code: 'UNSUPPORTED' },

  // Appends
  post({}, undefined),
  post(JSON_TYPE, ''),
  post(JSON_TYPE, '[]'),
  post(JSON_TYPE, ' [ ] '),
  post(JSON_TYPE, ' '),
  post(JSON_TYPE, '{'),
  post(JSON_TYPE, '[1,]'),
  post(JSON_TYPE, '[,1]'),
  post(JSON_TYPE, '[1,,2]'),
  post(JSON_TYPE, '1 2'),
  post(JSON_TYPE, '[1]]'),
  post(JSON_TYPE, '[1][2]'),
  post(JSON_TYPE, "{'a':1}"),
  post(JSON_TYPE, 'NaN'),
  post(JSON_TYPE, 'undefined'),
  post(JSON_TYPE, '"\u0000"'),
  post(JSON_TYPE, '"unterminated'),
  post(JSON_TYPE, '"\\'),
  post(JSON_TYPE, '\u00a01'),
  post(JSON_TYPE, '/*c*/1'),
  post(JSON_TYPE, Uint8Array.of(0x22, 0xff, 0x22)),
  post(JSON_TYPE, Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)),
  post(JSON_TYPE, '['.repeat(300) + ']'.repeat(300), { code: 'LIMIT_EXCEEDED' }),
  post(JSON_TYPE, '['.repeat(100_000), { code: 'LIMIT_EXCEEDED' }),
  post(JSON_TYPE, '{"a":'.repeat(300) + '1' + '}'.repeat(300), { code: 'LIMIT_EXCEEDED' }),
  post({ 'Content-Type': 'json' }, '1'),
  post({ 'Content-Type': 'application/json\\' }, '1'),
  post({ 'Content-Type': 'application/json, text/plain' }, '1'),
  post({ 'Content-Type': '/' }, '1'),
  post({ 'Content-Type': 'text/plain' }, '1', { status: 409, code: 'CONTENT_TYPE' }),
  post({ ...JSON_TYPE, 'Content-Encoding': 'gzip' }, '1', { status: 415, code: 'UNSUPPORTED' }),
  post({ ...JSON_TYPE, 'Stream-Closed': 'yes' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': '1' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Seq': '' }, '1'),
  post({ ...JSON_TYPE, 'Perennial-End': '{"outcome":"completed"}' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': '{' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': 'null' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': '{"outcome":"exploded"}' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': '{"outcome":"failed","error":7}' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': '{"outcome":"failed","error":{"code":7}}' }, '1'),
  post({ ...JSON_TYPE, 'Stream-Closed': 'true', 'Perennial-End': '{"outcome":"cancelled","reason":{}}' }, '1'),
  ...['', '-1', '1.5', 'x', '1e3', '01', '+1', '9007199254740992', ' 1 1'].map((value) =>
    post({ ...JSON_TYPE, 'Perennial-Expected-Position': value }, '1'),
  ),
  ...['-1', '1.5', 'x', '1e3', '01', '+1', '', '9007199254740992'].flatMap((value) => [
    post({ ...JSON_TYPE, ...PRODUCER, 'Producer-Epoch': value }, '1'),
    post({ ...JSON_TYPE, ...PRODUCER, 'Producer-Seq': value }, '1'),
  ]),
  post({ ...JSON_TYPE, ...PRODUCER, 'Producer-Id': '' }, '1'),
  post({ ...JSON_TYPE, 'Producer-Id': 'p' }, '1'),
  post({ ...JSON_TYPE, 'Producer-Epoch': '0', 'Producer-Seq': '0' }, '1'),
  post({ ...JSON_TYPE, ...PRODUCER, 'Producer-Seq': '5' }, '1', { status: 409, code: 'SEQUENCE_GAP' }),

  // Creations
  put({ 'Content-Type': 'nonsense' }),
  put({ 'Stream-TTL': '' }),
  put({ 'Stream-TTL': '-1' }),
  put({ 'Stream-TTL': '01' }),
  put({ 'Stream-TTL': '1.5' }),
  put({ 'Stream-TTL': '9007199254740991' }),
  put({ 'Stream-TTL': '1', 'Stream-Expires-At': '2030-01-01T00:00:00Z' }),
  ...[
    '',
    'tomorrow',
    '2030-01-01',
    '2030-02-30T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-01T25:00:00Z',
    '2030-01-01 00:00:00',
    '1900-01-01T00:00:00Z',
    '0',
    '1e12',
  ].map((value) => put({ 'Stream-Expires-At': value })),
  put(JSON_TYPE, { body: '{' }),
  put(JSON_TYPE, { body: '['.repeat(300), code: 'LIMIT_EXCEEDED' }),
  put({ 'Stream-Fork-Offset': '0' }),

  // The store port
  ...[
    '',
    '{',
    '[]',
    'null',
    '7',
    '{}',
    '{"segments":7}',
    '{"segments":[]}',
    '{"segments":[7]}',
    '{"segments":[{}]}',
    '{"segments":[{"records":7}]}',
    '{"segments":[{"records":[7]}]}',
  ].map((body) => post({}, body, { path: '/s?perennial-append' })),
  ...[
    '{}',
    '{"j":7}',
    '{"b":7}',
    '{"j":"1","b":"MQ=="}',
    '{"j":"{"}',
    '{"j":"nonsense"}',
    '{"b":"%%%"}',
    '{"j":"1","s":7}',
    '{"j":"1","s":""}',
    '{"j":"1","s":"x","a":-1}',
    '{"x":7}',
    '{"x":{}}',
    '{"x":{"step":"","belowAttempt":1}}',
  ].map((record) => post({}, `{"segments":[{"records":[${record}]}]}`, { path: '/s?perennial-append' })),
  ...[
    '"producer":7',
    '"producer":{}',
    '"producer":{"id":"","epoch":0,"seq":0}',
    '"producer":{"id":"p","epoch":-1,"seq":0}',
    '"sequencing":"batch"',
    '"end":7',
    '"end":{"outcome":"x"}',
    '"expectedPosition":"1"',
    '"streamSeq":7',
    '"contentType":7',
  ].map((member) => post({}, `{"segments":[{"records":[{"j":"1"}],${member}}]}`, { path: '/s?perennial-append' })),
  ...[
    '{}',
    '{"type":"explode"}',
    '{"type":"cancel","reason":7}',
    '{"type":"lease","durationMs":0}',
    '{"type":"lease","token":-1}',
    '{"type":"fence"}',
    '{"type":"fence","token":1,"nonce":""}',
    '7',
  ].map((body) => post({}, body, { path: '/s?perennial-mark' })),
  ...[
    '{"contentType":7}',
    '{"ttlMs":-1}',
    '{"ttlMs":1,"expiresAt":1}',
    '{"leaseMs":0}',
    '{"owner":""}',
    '{"token":1.5}',
    '{"records":7}',
    '{"end":{}}',
  ].map((body): HostileRequest => ({ method: 'PUT', path: '/new?perennial-create', body })),
];

describe('hostile requests', () => {
  let harness: Harness;
  let before: string;

  const snapshot = async (): Promise<string> =>
    JSON.stringify([await harness.store.list(), (await harness.store.read('s', { from: 0 })).records]);

  beforeEach(async () => {
    harness = createHarness({ longPollMs: 10, sseMaxMs: 10 });
    await seed(harness.store, 's', [1, 2, 3]);
    before = await snapshot();
  });

  it('are many', () => {
    expect(REQUESTS.length).toBeGreaterThan(150);
  });

  it.each(
    REQUESTS.map((request, i) => ({
      name: `${i} ${request.method} ${request.path.slice(0, 70)} ${JSON.stringify(request.headers ?? {}).slice(0, 90)} ${typeof request.body === 'string' ? request.body.slice(0, 40) : ''}`,
      request,
    })),
  )('$name', async ({ request: { method, path, status = 400, code = 'INVALID_ARGUMENT', ...init } }) => {
    const response = await harness.handler(new Request(`http://streams.test${path}`, { method, ...init }));
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.message.length).toBeLessThan(600);
    expect(response.headers.get('Perennial-Error')).toBe(code);
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(await snapshot()).toBe(before);
  });
});

describe('odd ids', () => {
  it.each([
    'a b',
    'ä/ö',
    'a%2Fb',
    '%',
    '..',
    '.',
    '../x',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    '__ds',
    '__ds/x',
    '__proto__',
    'a\\b',
    'a\0b',
    'a\nb',
    '😀',
    '?#&=',
    'x'.repeat(2_048),
    'CON',
    'a'.repeat(300) + '/b',
  ])('%j are ids like any other', async (id) => {
    const { send, store } = createHarness();
    expect((await send('PUT', id, { headers: JSON_TYPE, body: '[1]' })).status).toBe(201);
    expect((await store.list()).streams.map((head) => head.id)).toEqual([id]);
    expect(await (await send('GET', id)).json()).toEqual([1]);
    expect((await send('POST', id, { headers: JSON_TYPE, body: '2' })).status).toBe(204);
    expect((await send('HEAD', id)).headers.get('Perennial-Position')).toBe('2');
    expect((await send('DELETE', id)).status).toBe(204);
  });

  it('are decoded once and only once', async () => {
    const { handler, store } = createHarness();
    await seed(store, 'a/b', ['slash']);
    await seed(store, 'a%2Fb', ['percent']);
    const read = async (path: string): Promise<unknown> =>
      (await handler(new Request(`http://streams.test${path}`))).json();
    expect(await read('/a/b')).toEqual(['slash']);
    expect(await read('/a%2Fb')).toEqual(['slash']);
    expect(await read('/a%252Fb')).toEqual(['percent']);
  });
});

describe('the base path', () => {
  it.each(['/api/streams', '/api/streams/', 'api/streams'])('%s', async (basePath) => {
    const { handler, store } = createHarness({ basePath });
    await seed(store, 'a/b', [1]);
    const status = async (path: string): Promise<number> =>
      (await handler(new Request(`http://streams.test${path}`))).status;
    expect(await status('/api/streams/a/b')).toBe(200);
    expect(await status('/api/streams?perennial-list')).toBe(200);
    expect(await status('/api/streams/?perennial-stream=a%2Fb')).toBe(200);
    expect(await status('/api/streamsX/a/b')).toBe(404);
    expect(await status('/a/b')).toBe(404);
    expect(await status('/api/streams/../a/b')).toBe(404);
  });
});
