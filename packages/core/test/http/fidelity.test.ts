/** What was written is what is read, byte for byte, in every mode. */
import { formatOffset } from '@perennial/core/http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { control, createHarness, dataOf, isUpToDate } from './support/harness.ts';

const JSON_HEADERS = { 'Content-Type': 'application/json' };

const TEXTS = [
  '1.0',
  '-0',
  '1e400',
  '123456789012345678901234567890',
  '0.1000',
  '"\u2028\u2029"',
  '"\\u2028"',
  '"\\ud800"',
  '{"__proto__":{"polluted":true}}',
  '{"a":1,"a":2}',
  '{"b":1,"a":2}',
  '"data: x\\n\\nevent: control"',
  '" leading"',
  '"😀"',
  '""',
  'null',
  '[]',
  '{"constructor":{"prototype":1}}',
  '{ "spaced" :\n1 }',
] as const;

describe('JSON texts', () => {
  it.each(TEXTS)('%s survives unchanged, alone and in a batch', async (text) => {
    const { send, sse } = createHarness();
    await send('PUT', 's', { headers: JSON_HEADERS });
    await send('POST', 's', { headers: JSON_HEADERS, body: text.startsWith('[') ? `[${text}]` : text });
    await send('POST', 's', { headers: JSON_HEADERS, body: `[ ${text} , ${text} ]` });
    const all = `[${text},${text},${text}]`;
    expect(await (await send('GET', 's')).text()).toBe(all);
    expect(dataOf(await (await sse('s')).until(isUpToDate))).toBe(all);
    expect(dataOf(await (await sse('s', 'offset=-1&perennial-view=records')).until(isUpToDate))).toContain(
      `"d":${text}}`,
    );
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('are flattened one level, and only arrays are', async () => {
    const { send } = createHarness();
    await send('PUT', 's', { headers: JSON_HEADERS, body: '[[1,2],[3]]' });
    await send('POST', 's', { headers: JSON_HEADERS, body: '{"a":[1]}' });
    const page = await send('GET', 's');
    expect(await page.json()).toEqual([[1, 2], [3], { a: [1] }]);
    expect(page.headers.get('Perennial-Position')).toBe('3');
  });

  it('of vendor types are JSON too', async () => {
    const { send } = createHarness();
    const headers = { 'Content-Type': 'application/vnd.test+json; charset=utf-8' };
    await send('PUT', 's', { headers, body: '[1.0]' });
    const page = await send('GET', 's');
    expect(await page.text()).toBe('[1.0]');
    expect(page.headers.get('Content-Type')).toBe(headers['Content-Type']);
  });
});

describe('bytes', () => {
  it('survive in pages, in SSE and in pieces', async () => {
    const { send, sse } = createHarness();
    const headers = { 'Content-Type': 'application/x-test' };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 5 }),
        fc.uuid(),
        async (records, id) => {
          await send('PUT', id, { headers });
          for (const body of records) await send('POST', id, { headers, body });
          const whole = Buffer.concat(records);
          const page = await send('GET', id);
          expect(Buffer.from(await page.arrayBuffer()).equals(whole)).toBe(true);
          const connection = await sse(id);
          expect(connection.response.headers.get('Stream-SSE-Data-Encoding')).toBe('base64');
          expect(Buffer.from(dataOf(await connection.until(isUpToDate)), 'base64').equals(whole)).toBe(true);
          await connection.close();
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('text over SSE', () => {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };

  it('never shows half a character, however its bytes were written and wherever a reader resumes', async () => {
    const { send, sse } = createHarness();
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .map((raw) => raw.toWellFormed().replaceAll('\r', 'x'));
    await fc.assert(
      fc.asyncProperty(text, fc.uuid(), async (whole, id) => {
        await send('PUT', id, { headers });
        let seen = '';
        let offset = '-1';
        for (const byte of Buffer.from(whole)) {
          await send('POST', id, { headers, body: Uint8Array.of(byte) });
          const connection = await sse(id, `offset=${offset}`);
          const events = await connection.until(isUpToDate);
          seen += dataOf(events);
          offset = String(control(events.at(-1))['streamNextOffset']);
          await connection.close();
          expect(seen).not.toContain('\ufffd'.repeat(whole.includes('\ufffd') ? 1_000 : 1));
        }
        expect(seen).toBe(whole);
        expect(offset).toBe(formatOffset(Buffer.byteLength(whole)));
      }),
      { numRuns: 25 },
    );
  });

  it('waits for the rest of a character while live, and shows what is left of it at the end', async () => {
    const { send, sse } = createHarness();
    await send('PUT', 's', { headers });
    const connection = await sse('s');
    await connection.next();
    const [e1, e2, e3, e4] = Buffer.from('😀');
    await send('POST', 's', { headers, body: Uint8Array.of(0x61, e1 ?? 0) });
    expect((await connection.next())?.data).toBe('a');
    expect(control(await connection.next())).toMatchObject({ streamNextOffset: formatOffset(0, 1), upToDate: true });
    await send('POST', 's', { headers, body: Uint8Array.of(e2 ?? 0) });
    expect(control(await connection.next())).toMatchObject({ streamNextOffset: formatOffset(0, 1) });
    await send('POST', 's', { headers, body: Uint8Array.of(e3 ?? 0, e4 ?? 0, 0x62, 0xe2) });
    expect((await connection.next())?.data).toBe('😀b');
    expect(control(await connection.next())).toMatchObject({ streamNextOffset: formatOffset(2, 3) });
    await send('POST', 's', { headers: { 'Stream-Closed': 'true' } });
    const rest = await connection.rest();
    expect(dataOf(rest)).toBe('\ufffd');
    expect(control(rest.at(-1))).toMatchObject({ streamNextOffset: formatOffset(3), streamClosed: true });
  });

  it('resumes inside a record also in pages', async () => {
    const { send } = createHarness();
    await send('PUT', 's', { headers, body: 'abcdef' });
    const page = await send('GET', 's', { query: `offset=${formatOffset(0, 4)}` });
    expect(await page.text()).toBe('ef');
    for (const offset of [formatOffset(0, 6), formatOffset(0, 7), formatOffset(1, 1)]) {
      expect((await send('GET', 's', { query: `offset=${offset}` })).status).toBe(400);
    }
  });

  it('keeps leading spaces, byte order marks and line feeds; carriage returns become line feeds, pairs stay one', async () => {
    const { send, sse } = createHarness();
    await send('PUT', 's', { headers });
    const connection = await sse('s');
    await connection.next();
    let seen = '';
    for (const body of [' a', '\ufeffb', '\n', 'c\r', '\nd\re']) {
      await send('POST', 's', { headers, body });
      seen += dataOf(await connection.until(isUpToDate));
    }
    await connection.close();
    expect(seen).toBe(' a\ufeffb\nc\nd\ne');
  });

  it('of another charset travels as bytes', async () => {
    const { send, sse } = createHarness();
    const latin = { 'Content-Type': 'text/plain; charset=iso-8859-1' };
    await send('PUT', 's', { headers: latin, body: Uint8Array.of(0xe4) });
    const connection = await sse('s');
    expect(connection.response.headers.get('Stream-SSE-Data-Encoding')).toBe('base64');
    expect(dataOf(await connection.until(isUpToDate))).toBe('5A==');
    await connection.close();
  });
});

describe('bodies sent in pieces', () => {
  it('are one record of bytes, or the values of one JSON text', async () => {
    const { send } = createHarness();
    const pieces = (...texts: string[]): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start(controller) {
          for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        },
      });
    await send('PUT', 's', { headers: JSON_HEADERS, body: pieces('["a', '", ', '2]') });
    expect(await (await send('GET', 's')).text()).toBe('["a",2]');
    await send('PUT', 'b', { headers: { 'Content-Type': 'text/plain' }, body: pieces('a', 'b') });
    expect((await send('HEAD', 'b')).headers.get('Perennial-Position')).toBe('1');
  });

  it('that break off store nothing', async () => {
    const { send, store } = createHarness();
    await send('PUT', 's', { headers: JSON_HEADERS });
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('[1,2]')),
      pull: (controller) => controller.error(new Error('gone')),
    });
    expect((await send('POST', 's', { headers: JSON_HEADERS, body })).status).toBe(400);
    expect((await store.head('s'))?.nextPosition).toBe(0);
  });
});
