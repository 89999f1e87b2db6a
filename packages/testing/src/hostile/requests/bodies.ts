import { beyondLimit, type HostileRequest, INVALID, jsonHeaders, requestGroup } from '../hostile-request.ts';
import { HOSTILE_LIMITS } from '../limits.ts';

const json = requestGroup('bodies that are no JSON');
const depth = requestGroup('depth bombs');
const size = requestGroup('oversized bodies');
const cancel = requestGroup('cancel requests');
const port = requestGroup('the store port');

const { maxBodyBytes, maxRecordBytes, maxBatchRecords, maxJsonDepth } = HOSTILE_LIMITS;

const NOT_JSON = [
  '',
  ' ',
  '[]',
  ' [ ] ',
  '{',
  '}',
  '[',
  ']',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[1]]',
  '[1][2]',
  '1 2',
  '1,2',
  '{"a":1}{"b":2}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  'NaN',
  'Infinity',
  '-',
  '+1',
  '01',
  '1.',
  '.5',
  '1e',
  '0x10',
  'undefined',
  'True',
  'nul',
  '"\u0000"',
  '"\n"',
  '"\t"',
  '"unterminated',
  '"\\',
  '"\\x41"',
  '"\\u12"',
  '"\\ud83d\\u"',
  '\u00a01',
  '\u20281',
  '/*c*/1',
  '1//c',
  '#1',
  '\u0000',
  '<xml/>',
  'data: {"a":1}\n\n',
];

/** Bytes that are no UTF-8, or UTF-8 of no text. */
const NOT_UTF8: readonly (readonly number[])[] = [
  [0x22, 0xff, 0x22],
  [0x22, 0xc0, 0xaf, 0x22],
  [0x22, 0xed, 0xa0, 0x80, 0x22],
  [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
  [0x22, 0xe2, 0x82, 0x22],
  [0xff, 0xfe, 0x31, 0x00],
  [0x00, 0x00, 0x00, 0x31],
];

const bombs = (count: number): readonly string[] => [
  '['.repeat(count) + ']'.repeat(count),
  '{"a":'.repeat(count) + '1' + '}'.repeat(count),
  '[{"a":'.repeat(count) + '1' + '}]'.repeat(count),
];

const toPort = (path: string, body: string, method = 'POST'): HostileRequest =>
  port.request({ method, path, headers: jsonHeaders(), body, refusal: INVALID });

const RECORDS = [
  '7',
  'null',
  '{}',
  '{"j":7}',
  '{"b":7}',
  '{"j":"1","b":"MQ=="}',
  '{"j":"{"}',
  '{"j":"nonsense"}',
  '{"j":"1,2"}',
  '{"j":"\\ud800"}',
  '{"b":"%%%"}',
  '{"j":"1","s":7}',
  '{"j":"1","s":""}',
  '{"j":"1","s":"x","a":-1}',
  '{"j":"1","s":"x","a":1e400}',
  '{"x":7}',
  '{"x":{}}',
  '{"x":{"step":"","belowAttempt":1}}',
  '{"__proto__":{"j":"1"}}',
];

const MEMBERS = [
  '"producer":7',
  '"producer":{}',
  '"producer":{"id":"","epoch":0,"seq":0}',
  '"producer":{"id":"p","epoch":-1,"seq":0}',
  '"producer":{"id":"p","epoch":0,"seq":9007199254740993}',
  '"producer":{"id":"\\ud800","epoch":0,"seq":0}',
  '"sequencing":"batch"',
  '"end":7',
  '"end":{"outcome":"x"}',
  '"expectedPosition":"1"',
  '"streamSeq":7',
  '"contentType":7',
];

const storePort: readonly HostileRequest[] = [
  ...['', '{', '[]', 'null', '7', '{}', '{"segments":7}', '{"segments":[]}', '{"segments":[7]}', '{"segments":[{}]}']
    .concat('{"segments":[{"records":7}]}', '{"segments":[{"records":[{"j":"1"}]}],"token":-1}')
    .map((body) => toPort('/s?perennial-append', body)),
  ...RECORDS.map((record) => toPort('/s?perennial-append', `{"segments":[{"records":[${record}]}]}`)),
  ...MEMBERS.map((member) => toPort('/s?perennial-append', `{"segments":[{"records":[{"j":"1"}],${member}}]}`)),
  ...[
    '{}',
    '7',
    '{"type":"explode"}',
    '{"type":"__proto__"}',
    '{"type":"cancel","reason":7}',
    '{"type":"cancel","reason":"\\ud800"}',
    '{"type":"lease","durationMs":0}',
    '{"type":"lease","durationMs":1e999}',
    '{"type":"lease","token":-1}',
    '{"type":"fence"}',
    '{"type":"fence","token":9007199254740992,"nonce":"n"}',
    '{"type":"fence","token":1,"nonce":""}',
  ].map((body) => toPort('/s?perennial-mark', body)),
  ...[
    '{"contentType":7}',
    '{"contentType":"a/b\\r\\nx: y"}',
    '{"ttlMs":-1}',
    '{"ttlMs":1,"expiresAt":1}',
    '{"leaseMs":0}',
    '{"owner":""}',
    '{"token":1.5}',
    '{"records":7}',
    '{"end":{}}',
  ].map((body) => toPort('/new?perennial-create', body, 'PUT')),
];

/** Bodies that are malformed, too deep, too long or of the wrong shape. */
export const bodyRequests: readonly HostileRequest[] = [
  ...NOT_JSON.map((body) => json.post(body)),
  ...NOT_UTF8.map((bytes) => json.post(Uint8Array.from(bytes))),
  ...NOT_JSON.filter((body) => body.trim() !== '' && !/^\s*\[\s*\]\s*$/.test(body))
    .slice(0, 10)
    .map((body) => json.request({ method: 'PUT', path: '/new', headers: jsonHeaders(), body, refusal: INVALID })),
  ...[...bombs(maxJsonDepth + 2), '['.repeat(maxBodyBytes - 1)].map((body) => depth.post(body, beyondLimit(400))),
  ...bombs(maxJsonDepth + 2).map((body) =>
    depth.request({ method: 'PUT', path: '/new', headers: jsonHeaders(), body, refusal: beyondLimit(400) }),
  ),
  size.post(`"${'x'.repeat(maxBodyBytes)}"`, beyondLimit()),
  size.post(`"${'x'.repeat(maxRecordBytes)}"`, beyondLimit()),
  size.post(`"${'\u20ac'.repeat(Math.ceil(maxRecordBytes / 3))}"`, beyondLimit()),
  size.post(`[${'1,'.repeat(maxBatchRecords)}1]`, beyondLimit()),
  size.post(`[1,"${'x'.repeat(maxRecordBytes)}"]`, beyondLimit()),
  size.request({
    method: 'POST',
    path: '/text',
    headers: [['Content-Type', 'text/plain']],
    body: 'x'.repeat(maxRecordBytes + 1),
    refusal: beyondLimit(),
  }),
  size.request({
    method: 'PUT',
    path: '/new',
    headers: jsonHeaders(),
    body: `[${'1,'.repeat(maxBatchRecords)}1]`,
    refusal: beyondLimit(),
  }),
  ...['{', '7', '[]', '{"reason":7}', '{"reason":null}', '{"reason":"\\ud800"}'].map((body) =>
    cancel.request({ method: 'POST', path: '/s?perennial-cancel', headers: jsonHeaders(), body, refusal: INVALID }),
  ),
  cancel.request({
    method: 'POST',
    path: '/s?perennial-cancel',
    headers: jsonHeaders(),
    body: JSON.stringify({ reason: 'x'.repeat(1_025) }),
    refusal: 'typed',
  }),
  ...storePort,
];
