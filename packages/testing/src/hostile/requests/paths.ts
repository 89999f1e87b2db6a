import { ABSENT, type HostileRequest, INVALID, requestGroup } from '../hostile-request.ts';

const parameter = requestGroup('query parameters');
const path = requestGroup('paths');
const method = requestGroup('methods');

const PARAMETERS = [
  '/s?offset=-1&offset=-1',
  '/s?live=sse',
  '/s?live=long-poll',
  '/s?live=websocket&offset=-1',
  '/s?live=&offset=-1',
  '/s?live=SSE&offset=-1',
  '/s?live=sse&live=sse&offset=-1',
  '/s?live=__proto__&offset=-1',
  '/s?perennial-view=committed',
  '/s?perennial-view=',
  '/s?perennial-view=__proto__',
  '/s?perennial-view=records&perennial-view=store',
  '/s?perennial-last=-1',
  '/s?perennial-last=1.5',
  '/s?perennial-last=1e3',
  '/s?perennial-last=0x1',
  '/s?perennial-last=01',
  '/s?perennial-last=%201',
  '/s?perennial-last=99999999999999999999',
  '/s?perennial-last=x',
  '/s?perennial-last=',
  '/s?perennial-last=1&perennial-last=2',
  '/s?perennial-last=1&offset=-1',
  '/s?perennial-view=store',
  '/s?perennial-view=store&perennial-from=-1',
  '/s?perennial-view=store&perennial-from=9007199254740992',
  '/s?perennial-view=store&perennial-from=0&perennial-limit=0',
  '/s?perennial-view=store&perennial-from=0&perennial-limit=x',
  '/s?perennial-view=store&perennial-from=0&perennial-max-bytes=0',
  '/s?perennial-view=store&perennial-wait=soon',
  '/s?perennial-view=store&perennial-wait=-1',
  '/s?perennial-view=store&perennial-wait=0&perennial-timeout=-5',
  '/s?perennial-view=store&perennial-wait=0&perennial-timeout=1e9',
  '/s?perennial-view=store&perennial-producer=',
  '/?perennial-list&perennial-limit=-1',
  '/?perennial-list&perennial-limit=0',
  '/?perennial-list&perennial-view=records',
  '/?perennial-list&perennial-prefix=a&perennial-prefix=b',
];

/** Ids that cannot be: malformed escapes, bytes that are no UTF-8, overlong forms, surrogates, too long. */
const MALFORMED = [
  '/%',
  '/%zz',
  '/%2',
  '/s%',
  '/%C3%28',
  '/%FF',
  '/%ED%A0%80',
  '/%ED%B0%80%ED%A0%80',
  '/%F4%90%80%80',
  '/%c0%ae%c0%ae/etc',
  '/a/%E0%80%AF',
  `/${'x'.repeat(2_049)}`,
  `/${'a/'.repeat(1_025)}`,
  '/?perennial-stream=',
  `/?perennial-stream=${'x'.repeat(2_049)}`,
  '/?perennial-stream=a&perennial-stream=b',
];

/** Well-formed ids that no stream has: what resolves, merges, folds or decodes twice would find one. */
const STRANGERS = [
  '/..%2f..%2fetc%2fpasswd',
  '/%2e%2e%2f%2e%2e%2fpackage.json',
  '/..%5c..%5cwindows',
  '/s%00',
  '/s%00.json',
  '/%00',
  '/s%20',
  '/s%0a',
  '/S',
  '/s/',
  '/s//',
  '/s%2F',
  '/%2Fs',
  '/s%2E',
  '/%2573',
  '/ｓ',
  '/s%EF%BB%BF',
  '/s%E2%80%8B',
  '/s;a=b',
  '/s*',
  '/s:meta',
  '/%7Bs%7D',
  '/s.log',
  '/.lock',
  '/CON',
  '/__proto__',
  '/__proto__/x',
  '/constructor/prototype',
  '/hasOwnProperty',
  '/%24%7B7*7%7D',
  '/?perennial-stream=../s',
  '/?perennial-stream=s%00',
  '/?perennial-stream=/s',
  '/',
].map((id) => encodeURI(id).replaceAll('%25', '%'));

/** Parameters, paths and methods that lead nowhere. */
export const pathRequests: readonly HostileRequest[] = [
  ...PARAMETERS.map((target) => parameter.get(target)),
  ...MALFORMED.map((target) => path.get(target)),
  ...MALFORMED.slice(0, 6).map((target) =>
    path.request({ method: 'PUT', path: target, headers: [['Content-Type', 'text/plain']], refusal: INVALID }),
  ),
  ...STRANGERS.map((target) => path.get(target, ABSENT)),
  ...['/..%2fs', '/s%00', '/S', '/__proto__'].map((target) =>
    path.request({ method: 'DELETE', path: target, refusal: ABSENT }),
  ),
  ...['/S?perennial-cancel', '/__proto__?perennial-cancel'].map((target) =>
    path.request({ method: 'POST', path: target, refusal: ABSENT }),
  ),
  ...['/__ds', '/__ds/subscriptions', '/__ds/../__ds'].map((target) =>
    path.get(target, { status: 404, code: 'UNSUPPORTED' }),
  ),
  // What an HTTP server may refuse before the handler sees it.
  ...['/s\u0000', '/s\u0001', '/a b', '/s\t?offset=-1', '/\u00ff', `/${'%E2%82%AC'.repeat(2_049)}`].map((target) =>
    path.get(target, 'refused'),
  ),
  ...['PATCH', 'PROPFIND', 'LOCK', 'MKCOL', 'TRACE'].map((name) =>
    method.request({ method: name, path: '/s', refusal: 'refused' }),
  ),
  ...['get', 'GET\u0000', 'GE T', 'X'.repeat(300)].map((name) =>
    method.request({ method: name, path: '/s', refusal: 'refused' }),
  ),
];
