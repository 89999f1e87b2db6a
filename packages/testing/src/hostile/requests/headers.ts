import {
  ABSENT,
  type HostileRequest,
  INVALID,
  jsonHeaders,
  type RawHeader,
  type Refusal,
  requestGroup,
} from '../hostile-request.ts';

const producer = requestGroup('producers');
const position = requestGroup('expected positions');
const sequence = requestGroup('stream sequences');
const type = requestGroup('content types');
const life = requestGroup('lifetimes');
const end = requestGroup('ends');
const fork = requestGroup('forks');
const framing = requestGroup('framing');

const NOT_COUNTERS = [
  '-1',
  '-0',
  '+1',
  '1.5',
  '1e3',
  '01',
  '0x1',
  'x',
  '',
  'NaN',
  'Infinity',
  'null',
  '9007199254740992',
  '99999999999999999999999',
  '1 1',
  '1,1',
  '\u0660',
  '__proto__',
];

/** A complete producer, with one of its headers replaced, or left out by null. */
function producerHeaders(replaced: Readonly<Record<string, string | null>>): readonly RawHeader[] {
  const headers: Record<string, string | null> = {
    'Producer-Id': 'stranger',
    'Producer-Epoch': '0',
    'Producer-Seq': '0',
    ...replaced,
  };
  return Object.entries(headers).flatMap(([name, value]): readonly RawHeader[] =>
    value === null ? [] : [[name, value]],
  );
}

const refused = (status: number, code: Exclude<Refusal, string>['code']): Refusal => ({ status, code });

const producers: readonly HostileRequest[] = [
  ...NOT_COUNTERS.flatMap((value) => [
    producer.post('1', INVALID, ...producerHeaders({ 'Producer-Epoch': value })),
    producer.post('1', INVALID, ...producerHeaders({ 'Producer-Seq': value })),
  ]),
  producer.post('1', INVALID, ...producerHeaders({ 'Producer-Id': '' })),
  ...['Producer-Id', 'Producer-Epoch', 'Producer-Seq'].flatMap((name) => [
    producer.post('1', INVALID, ...producerHeaders({ [name]: null })),
    producer.post('1', INVALID, [name, name === 'Producer-Id' ? 'stranger' : '0']),
  ]),
  producer.post('1', INVALID, ...producerHeaders({}), ['producer-seq', '1']),
  producer.post('1', INVALID, ...producerHeaders({}), ['PRODUCER-EPOCH', '1']),
  producer.post('1', refused(409, 'SEQUENCE_GAP'), ...producerHeaders({ 'Producer-Seq': '5' })),
  producer.post('1', refused(409, 'SEQUENCE_GAP'), ...producerHeaders({ 'Producer-Seq': '9007199254740991' })),
  producer.post('1', refused(403, 'STALE_EPOCH'), ...producerHeaders({ 'Producer-Id': 'p', 'Producer-Epoch': '2' })),
  producer.post('1', INVALID, ...producerHeaders({ 'Producer-Id': 'p', 'Producer-Epoch': '4', 'Producer-Seq': '1' })),
  producer.request({
    method: 'POST',
    path: '/closed',
    headers: jsonHeaders(...producerHeaders({})),
    body: '1',
    refusal: refused(409, 'CLOSED'),
  }),
];

const positions: readonly HostileRequest[] = [
  ...NOT_COUNTERS.map((value) => position.post('1', INVALID, ['Perennial-Expected-Position', value])),
  ...['0', '2', '4', '9007199254740991'].map((value) =>
    position.post('1', refused(412, 'CONFLICT'), ['Perennial-Expected-Position', value]),
  ),
  position.post('1', INVALID, ['Perennial-Expected-Position', '3'], ['perennial-expected-position', '3']),
  sequence.post('1', INVALID, ['Stream-Seq', '']),
  sequence.post('1', refused(409, 'SEQUENCE_REGRESSION'), ['Stream-Seq', '0']),
  sequence.post('1', refused(409, 'SEQUENCE_REGRESSION'), ['Stream-Seq', 'm']),
];

const CONTENT_TYPES = [
  'json',
  '/',
  'a/',
  '/b',
  'application/json\\',
  'application/json, text/plain',
  'application//json',
  'application/json/x',
  '*/*',
  'application /json',
  'application/json; charset=\u00ff',
  '__proto__',
  '"application/json"',
  'application/json}',
];

const contentTypes: readonly HostileRequest[] = [
  ...CONTENT_TYPES.flatMap((value) => [
    type.request({ method: 'POST', path: '/s', headers: [['Content-Type', value]], body: '1', refusal: INVALID }),
    type.put(INVALID, ['Content-Type', value]),
  ]),
  type.request({ method: 'POST', path: '/s', body: '1', refusal: INVALID }),
  type.request({
    method: 'POST',
    path: '/s',
    headers: jsonHeaders(['content-type', 'text/plain']),
    body: '1',
    refusal: 'typed',
  }),
  ...['text/plain', 'application/octet-stream', 'application/ld+json', 'text/json'].map((value) =>
    type.request({
      method: 'POST',
      path: '/s',
      headers: [['Content-Type', value]],
      body: '1',
      refusal: refused(409, 'CONTENT_TYPE'),
    }),
  ),
  type.request({
    method: 'POST',
    path: '/text',
    headers: jsonHeaders(),
    body: '1',
    refusal: refused(409, 'CONTENT_TYPE'),
  }),
  ...['gzip', 'br', 'deflate', 'identity, gzip', 'x'].map((value) =>
    type.post('1', refused(415, 'UNSUPPORTED'), ['Content-Encoding', value]),
  ),
];

const lifetimes: readonly HostileRequest[] = [
  ...[...NOT_COUNTERS, '9007199254740991'].map((value) => life.put(INVALID, ['Stream-TTL', value])),
  ...[
    '',
    'tomorrow',
    '2030-01-01',
    '2030-02-30T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-01T25:00:00Z',
    '2030-01-01T00:00:00',
    '2030-01-01 00:00:00Z',
    '1900-01-01T00:00:00Z',
    '+275760-09-13T00:00:00.001Z',
    '0',
    '1e12',
    'Infinity',
  ].map((value) => life.put(INVALID, ['Stream-Expires-At', value])),
  life.put(INVALID, ['Stream-TTL', '1'], ['Stream-Expires-At', '2030-01-01T00:00:00Z']),
  life.put(INVALID, ['Stream-TTL', '1'], ['stream-ttl', '2']),
];

const ENDS = [
  '{',
  'null',
  '7',
  '[]',
  '""',
  '{"outcome":"exploded"}',
  '{"outcome":"__proto__"}',
  '{"__proto__":{"outcome":"completed"}}',
  '{"outcome":["completed"]}',
  '{"outcome":"failed","error":7}',
  '{"outcome":"failed","error":{"code":7}}',
  '{"outcome":"failed","error":{"message":"m"}}',
  '{"outcome":"failed","error":{"code":"\\ud800","message":"m"}}',
  '{"outcome":"cancelled","reason":{}}',
  '{"outcome":"cancelled","reason":"\\udc00"}',
];

const ends: readonly HostileRequest[] = [
  ...ENDS.map((value) => end.post('1', INVALID, ['Stream-Closed', 'true'], ['Perennial-End', value])),
  ...['yes', '1', '', 'true, true', 'truе'].map((value) => end.post('1', INVALID, ['Stream-Closed', value])),
  end.post('1', INVALID, ['Perennial-End', '{"outcome":"completed"}']),
  end.put(INVALID, ['Stream-Closed', 'maybe']),
  end.request({
    method: 'POST',
    path: '/closed',
    headers: jsonHeaders(),
    body: '1',
    refusal: refused(409, 'CLOSED'),
  }),
];

const forks: readonly HostileRequest[] = [
  fork.put('typed', ['Stream-Forked-From', '/absent']),
  fork.put('typed', ['Stream-Forked-From', '../../etc/passwd']),
  fork.put('typed', ['Stream-Forked-From', 'http://elsewhere.test/s']),
  fork.put('typed', ['Stream-Forked-From', '/%ff']),
  fork.put('typed', ['Stream-Forked-From', '']),
  fork.put('typed', ['Stream-Forked-From', '/s'], ['Stream-Fork-Offset', 'x']),
  fork.put('typed', ['Stream-Forked-From', '/s'], ['Stream-Fork-Offset', '9999999999999999_9999999999999999']),
];

/** What breaks HTTP itself: smuggled, folded, unterminated. */
const framings: readonly HostileRequest[] = [
  framing.request({
    method: 'POST',
    path: '/s',
    headers: jsonHeaders(['Content-Length', '1'], ['Content-Length', '2']),
    body: '12',
    refusal: 'refused',
  }),
  framing.request({
    method: 'POST',
    path: '/s',
    headers: jsonHeaders(['Transfer-Encoding', 'chunked'], ['Content-Length', '3']),
    body: '0\r\n\r\n',
    refusal: 'refused',
  }),
  framing.request({
    method: 'POST',
    path: '/s',
    headers: jsonHeaders(['Transfer-Encoding', 'chunked']),
    body: 'zz\r\n1\r\n0\r\n\r\n',
    refusal: 'refused',
  }),
  ...['-1', '+1', '0x1', '1e1', '99999999999999999999', 'x'].map((value) =>
    framing.request({
      method: 'POST',
      path: '/s',
      headers: jsonHeaders(['Content-Length', value]),
      body: '1',
      refusal: 'refused',
    }),
  ),
  ...['a\u0000b', 'a\rb', 'a\nb'].map((value) => framing.post('1', 'refused', ['Producer-Id', value])),
  framing.post('1', 'refused', ['Producer Id', 'x']),
  framing.post('1', 'refused', ['', 'x']),
  framing.post('1', 'refused', ['Producer-Id\u0000', 'x']),
  framing.get('/s?offset=-1', 'refused', ['X-Long', 'x'.repeat(100_000)]),
  framing.get('/nowhere', ABSENT, ...Array.from({ length: 200 }, (_, n): RawHeader => [`X-${n}`, '__proto__'])),
];

/** Headers that say nothing, too much, or two things. */
export const headerRequests: readonly HostileRequest[] = [
  ...producers,
  ...positions,
  ...contentTypes,
  ...lifetimes,
  ...ends,
  ...forks,
  ...framings,
];
