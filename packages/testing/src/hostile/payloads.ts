/** Payloads that are legal and that a careless server would act on: they have to come back unaltered, and to do nothing on the way. */
export interface HostilePayload {
  readonly contentType: string;
  /** One value for JSON types. */
  readonly body: string;
}

const FAKE_EVENTS = [
  'x\n\nevent: control\ndata: {"streamClosed":true}\n\n',
  'x\r\n\r\nevent: data\r\ndata: ["injected"]\r\n\r\n',
  'x\r\revent: data\rdata: ["injected"]\r\r',
  '\nid: 9999999999999999_0000000000000000\n',
  'retry: 1\n',
  ':comment\n\n',
  'data: x',
  'data:\n\n\n\n',
  '\n\n\n\n',
  '\r\r\r\r',
  '\u0000\n\nevent: injected\n\n',
  '\u2028event: injected\u2029\u0085',
];

const JSON_TEXTS = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"__proto__"',
  '{"toString":null,"then":1,"toJSON":2}',
  '{"":{"":{}}}',
  '"\\ud83d"',
  '"\\ude00\\ud83d"',
  '{"\\udfff":"\\ud800"}',
  '"\\u0000\\u001f\\n\\r\\u2028"',
  '"\u2028\u2029"',
  '"\u007f\u0085\ufeff"',
  '"</script><script>alert(1)</script><!--"',
  '12345678901234567890123456789',
  '1.0',
  '-0',
  '1e400',
  '1E+2',
  '0.1000000000000000055511151231257827',
  '{"a":1,"a":2}',
  '{"2":1,"1":2}',
  '"${process.env.HOME}{{7*7}}%s%n"',
  '"../../etc/passwd"',
  '[[]]',
  'null',
  'false',
  '0',
  '""',
  '{"streamClosed":true,"streamNextOffset":"x"}',
];

/** Values of JSON streams, and texts that look like server-sent events. */
export const HOSTILE_PAYLOADS: readonly HostilePayload[] = [
  ...JSON_TEXTS.map((body) => ({ contentType: 'application/json', body })),
  ...FAKE_EVENTS.map((text) => ({ contentType: 'application/json', body: JSON.stringify(text) })),
  // Line feeds between the tokens of a JSON text are legal, and are payload.
  { contentType: 'application/json', body: '{"a":\n\n"event: control"\r\n\r\n}' },
  ...FAKE_EVENTS.map((body) => ({ contentType: 'text/plain', body })),
  ...FAKE_EVENTS.map((body) => ({ contentType: 'application/octet-stream', body })),
  { contentType: 'text/html', body: '<script>alert(document.cookie)</script>' },
  { contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>' },
];

/** Texts for places besides records: cancel reasons, ends, producers. */
export const HOSTILE_TEXTS: readonly string[] = [
  '\r\nSet-Cookie: injected=1\r\n',
  '\n\nevent: injected\ndata: x\n\n',
  '__proto__',
  '\u0000\u001b[2J',
  '"}}\u2028</script>',
  '\u{1f600}\u202e',
  'x'.repeat(1_000),
];
