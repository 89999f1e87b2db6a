import assert from 'node:assert/strict';

import { append, appended, headOf, readAll, texts, textsOf, wrong } from '../helpers.ts';
import { type StoreCase, type StoreCaseContext, storeCases } from '../store-case.ts';

const idTest = storeCases('hostile ids');
const dataTest = storeCases('hostile payloads');

/** Ids that a file system, a key space, a URL or an object may trip over, by what makes them hostile. */
export const HOSTILE_IDS: Readonly<Record<string, readonly string[]>> = {
  'path traversal': [
    '../../etc/passwd',
    '..',
    '.',
    './a',
    'a/../b',
    'b',
    '/',
    '//',
    '/etc/passwd',
    'a//b',
    'a/',
    '/a',
    'a',
    '~',
    'C:\\x',
    '..\\x',
  ],
  'control characters': [
    'a\u0000b',
    'a\u0000',
    '\u0000',
    'a\nb',
    'a\r\nb',
    '\t',
    '\u007f',
    '\u001b[2J',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u200b',
  ],
  'case-only differences': [
    'Stream',
    'stream',
    'STREAM',
    'sTREAM',
    '\u00c4',
    '\u00e4',
    '\u0130',
    'i\u0307',
    '\u00df',
    'ss',
    '\u1e9e',
  ],
  'normalisation forms': ['\u00e9', 'e\u0301', '\u212b', '\u00c5', 'A\u030a', '\ufb01', 'fi', '\u1100\u1161', '\uac00'],
  'reserved file names': [
    'CON',
    'con',
    'CON.txt',
    'NUL',
    'aux',
    'COM1',
    'LPT9',
    'a.',
    'a ',
    ' a',
    'a',
    '.',
    '...',
    '.lock',
    'index',
    '-rf',
    '--',
    '-',
  ],
  'percent signs and URL syntax': [
    '%',
    '%2F',
    '%2f',
    '/',
    '%00',
    '%zz',
    'a%',
    'a?b=c',
    'a#b',
    'a&b',
    'a+b',
    'a b',
    'a%20b',
    'http://x/y',
    'a:b',
    '@',
  ],
  'object properties': [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '0',
    '-1',
    'null',
    'undefined',
    'true',
    'NaN',
  ],
  'patterns and quotes': [
    '*',
    '?',
    '[a]',
    '{a}',
    '{a}b',
    '$(x)',
    '`x`',
    "'",
    '"',
    '\\',
    '\\\\',
    '|',
    '<a>',
    ';',
    '!',
    '^',
    '{}',
    '{',
    '}',
  ],
  'emoji and other planes': [
    '\u{1f600}',
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    '\u{10ffff}',
    '\uffff',
    '\u{20000}',
    '\u202eabc',
    '\u0623\u0628',
  ],
};

const LONG_IDS = [
  'x'.repeat(2_048),
  `${'x'.repeat(2_047)}y`,
  'x'.repeat(2_047),
  'x'.repeat(256),
  'x'.repeat(255),
  '\u20ac'.repeat(2_048),
  '/'.repeat(2_048),
  '\u{1f600}'.repeat(1_024),
];

/** Gives every id a stream with its own content and finds each of them unmixed. */
async function coexist({ store }: StoreCaseContext, ids: readonly string[]): Promise<void> {
  const unique = [...new Set(ids)];
  for (const id of unique) {
    const { created, head } = await store.create(id, { records: texts(JSON.stringify(id)) });
    assert.equal(created, true, `Creating ${JSON.stringify(id.slice(0, 40))}`);
    assert.equal(head.id, id);
    await appended(store, { records: texts(String(id.length)) }, { id });
  }
  for (const id of unique) {
    assert.deepEqual(await textsOf(store, id), [JSON.stringify(id), String(id.length)]);
    assert.equal((await headOf(store, id)).id, id);
  }
  assert.equal(await store.delete(unique[0] ?? ''), true);
  for (const id of unique.slice(1))
    assert.ok(await store.head(id), `${JSON.stringify(id.slice(0, 40))} has to outlive another stream`);
}

const ids: readonly StoreCase[] = [
  ...Object.entries(HOSTILE_IDS).map(([what, list]) =>
    idTest(`keeps ids with ${what} apart`, (context) => coexist(context, list)),
  ),
  idTest('keeps very long ids apart', (context) => coexist(context, LONG_IDS)),
  idTest(
    'lists hostile ids as they were given',
    async ({ store }) => {
      const all = [...new Set(Object.values(HOSTILE_IDS).flat())];
      for (const id of all) await store.create(id);
      assert.deepEqual(
        (await store.list()).streams.map(({ id }) => id),
        all.toSorted(),
      );
    },
    'list',
  ),
];

const PAYLOADS: Readonly<Record<string, readonly string[]>> = {
  'prototype names': ['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"x":1}}}', '"__proto__"'],
  'escaped lone surrogates': ['"\\ud83d"', '"\\ude00\\ud83d"', '{"\\udfff":"\\ud800"}'],
  'separators and control escapes': [
    '"\u2028\u2029"',
    '"\\u0000\\u001f\\n\\r"',
    '"\u007f\u0085\ufeff"',
    '"</script><!--"',
    '"data: x\\n\\nevent: y"',
  ],
  'empty values': ['""', '[]', '{}', 'null', '0', 'false', '[[]]', '{"":""}'],
  'numbers that no double holds': [
    '12345678901234567890',
    '1.0',
    '-0',
    '1e400',
    '0.1000000000000000055511151231257827',
    '1E+2',
  ],
  'whitespace and key order': ['{ "b" : 1 , "a" : 2 }', '[\n1,\r\n\t2\r]', '{"2":1,"1":2}', '{"a":1,"a":2}'],
  'other planes and normalisation': ['"\u{1f600}\u{10ffff}"', '"e\u0301 \u00e9"', '"\u202eabc"'],
};

const payloads: readonly StoreCase[] = [
  ...Object.entries(PAYLOADS).map(([what, list]) =>
    dataTest(`keeps JSON with ${what} as raw text`, async ({ store }) => {
      await store.create('s', { records: texts(...list) });
      await appended(store, { records: texts(...list) }, { id: 's' });
      assert.deepEqual(await textsOf(store, 's'), [...list, ...list]);
    }),
  ),
  dataTest('keeps a record of 1 MiB', async ({ store }) => {
    await store.create('s');
    const data = JSON.stringify('\u20acx'.repeat(262_144));
    await appended(store, { records: texts(data, '"after"') }, { id: 's' });
    const read = await textsOf(store, 's');
    assert.ok(read[0] === data && read[1] === '"after"' && read.length === 2, 'Both records come back unaltered');
  }),
  dataTest('keeps deeply nested JSON', async ({ store }) => {
    const data = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    await store.create('s', { records: texts(data) });
    assert.deepEqual(await textsOf(store, 's'), [data]);
  }),
  dataTest('keeps all byte values, in any order', async ({ store }) => {
    const ascending = Uint8Array.from({ length: 256 }, (_, value) => value);
    const all = [
      ascending,
      ascending.toReversed(),
      new Uint8Array([13, 10, 13, 10, 0, 0]),
      new Uint8Array([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
    ];
    await store.create('s', { contentType: 'application/octet-stream' });
    await appended(store, { records: all.map((data) => ({ data })) }, { id: 's' });
    const read = await readAll(store, 's');
    assert.deepEqual(
      read.map((record) => record.kind === 'data' && [...wrong<Uint8Array>(record.data)]),
      all.map((bytes) => [...bytes]),
    );
    for (const record of read)
      assert.ok(record.kind === 'data' && record.data instanceof Uint8Array, 'Bytes come back as a Uint8Array');
  }),
  dataTest('keeps empty byte records', async ({ store }) => {
    await store.create('s', { contentType: 'text/plain' });
    await appended(
      store,
      { records: [{ data: new Uint8Array() }, { data: new Uint8Array([1]) }, { data: new Uint8Array() }] },
      { id: 's' },
    );
    assert.deepEqual(
      (await readAll(store, 's')).map((record) => record.kind === 'data' && wrong<Uint8Array>(record.data).byteLength),
      [0, 1, 0],
    );
  }),
  dataTest('keeps a byte record of 1 MiB', async ({ store }) => {
    const data = Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 31) & 0xff);
    await store.create('s', { contentType: 'application/octet-stream', records: [{ data }] });
    const [record] = await readAll(store, 's');
    assert.ok(record?.kind === 'data' && record.data instanceof Uint8Array && Buffer.compare(record.data, data) === 0);
  }),
  dataTest(
    'keeps hostile text in reasons, steps and nonces',
    async ({ store }) => {
      const text = '__proto__\u0000\n\u2028"\\\u{1f600}%';
      await store.create('s');
      await store.mark('s', { type: 'cancel', reason: text });
      await store.mark('s', { type: 'fence', token: 1, nonce: text });
      assert.equal((await store.mark('s', { type: 'fence', token: 1, nonce: text })).cancel?.reason, text);
      await append(
        store,
        {
          records: [
            { data: '1', step: text, attempt: 2 },
            { kind: 'supersede', step: text, belowAttempt: 2 },
          ],
        },
        { id: 's', token: 1 },
      );
      assert.deepEqual(
        (await readAll(store, 's')).map(({ step }) => step),
        [text, text],
      );
    },
    'fencing',
    'steps',
    'supersede',
  ),
];

/** Ids and payloads that are legal and awkward. */
export const hostileCases: readonly StoreCase[] = [...ids, ...payloads];
