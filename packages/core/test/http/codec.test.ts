/** The pure parts: offsets, the JSON splitter, text boundaries, base64, the SSE codec. */
import { formatOffset, parseOffset, streamUrl } from '@perennial/core/http';
import { createSseDecoder, encodeSseComment, encodeSseEvent, parseSse } from '@perennial/core/sse';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromBase64, toBase64 } from '../../src/http/base64.ts';
import { isJson, splitFlat, splitJson } from '../../src/http/json-array.ts';
import { readUrl, type RequestUrl } from '../../src/http/request-url.ts';
import { wholeTextLength } from '../../src/http/text-boundary.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('offsets', () => {
  it('round-trips every place, and sorts as places do', () => {
    const place = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat());
    fc.assert(
      fc.property(place, place, ([p1, b1], [p2, b2]) => {
        expect(parseOffset(formatOffset(p1, b1))).toEqual({ position: p1, byte: b1 });
        const before = p1 < p2 || (p1 === p2 && b1 < b2);
        expect(formatOffset(p1, b1) < formatOffset(p2, b2)).toBe(before);
      }),
    );
  });

  it.each([
    '',
    '-1',
    'now',
    '0_0',
    '1',
    '0000000000000000',
    '9007199254740992_0000000000000000',
    '0000000000000000_9999999999999999',
    ' 0000000000000000_0000000000000000',
    '0000000000000000_0000000000000000\n',
    '٠000000000000000_0000000000000000',
  ])('refuses %j', (token) => {
    expect(parseOffset(token)).toBeNull();
  });
});

describe('request URLs', () => {
  const part = fc.constantFrom(
    'a',
    'B7',
    '-',
    '.',
    '..',
    '.x',
    '%2e',
    '%2F',
    'ü',
    '~!$',
    ':@',
    '',
    '"',
    '|',
    '\\',
    '+',
    '&',
  );
  const param = fc.tuple(fc.constantFrom('offset', 'live', 'x'), part);

  function textOf({ query }: RequestUrl, name: string): string | undefined {
    try {
      return query.text(name);
    } catch {
      return 'refused';
    }
  }

  it('are read as `URL` reads them', () => {
    const query = fc.array(param).map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));
    fc.assert(
      fc.property(fc.array(part), fc.option(query), fc.constantFrom('', '#f', '#?offset=2'), (parts, search, hash) => {
        const { href } = new URL(`http://localhost:80/${parts.join('/')}${search === null ? '' : `?${search}`}${hash}`);
        const { pathname, searchParams } = new URL(href);
        const url = readUrl(href);
        expect(url.pathname).toBe(pathname);
        for (const name of ['offset', 'live', 'x', 'none']) {
          const values = searchParams.getAll(name);
          expect(url.query.has(name)).toBe(values.length > 0);
          expect(textOf(url, name)).toBe(values.length > 1 ? 'refused' : values[0]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are resolved where nobody has done so', () => {
    expect(readUrl('http://host/a/../b/./c').pathname).toBe('/b/c');
    expect(readUrl('http://host/a/%2e%2e/b').pathname).toBe('/b');
    expect(readUrl('http://host').pathname).toBe('/');
  });
});

describe('the JSON splitter', () => {
  it('keeps the text of every element, for any JSON with any white space', () => {
    const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
    const element = fc.tuple(fc.json(), space, space);
    fc.assert(
      fc.property(fc.array(element), space, (elements, around) => {
        const text = `${around}[${elements.map(([json, before, after]) => before + json + after).join(',')}${elements.length === 0 ? around : ''}]${around}`;
        expect(splitJson(text).values).toEqual(elements.map(([json]) => json.trim()));
      }),
    );
  });

  it.each([
    ['[1.0, 1e2 ,-0]', ['1.0', '1e2', '-0']],
    ['[123456789012345678901234567890]', ['123456789012345678901234567890']],
    ['["a,]\\"[", {"b":[1,2]}]', ['"a,]\\"["', '{"b":[1,2]}']],
    ['["\\\\", "\\\\\\""]', ['"\\\\"', '"\\\\\\""']],
    ['{"a":[1,2]}', ['{"a":[1,2]}']],
    [' 7 ', ['7']],
    ['[]', []],
    ['[ \n ]', []],
    ['[[]]', ['[]']],
    ['["\u2028"]', ['"\u2028"']],
  ])('splits %s', (text, values) => {
    expect(splitJson(text).values).toEqual(values);
  });

  it('measures depth also where the text is no JSON', () => {
    expect(splitJson('[[{"a":[1]}]]').depth).toBe(4);
    expect(splitJson('"[[["').depth).toBe(0);
    expect(splitJson('['.repeat(100_000)).depth).toBe(100_000);
    expect(isJson('['.repeat(10))).toBe(false);
  });
});

describe('the splitter of flat arrays', () => {
  const scalar = fc.oneof(
    fc.stringMatching(/^[ -~ü€]{0,12}$/).map((text) => JSON.stringify(text)),
    fc.constantFrom('1.0', '-0', '1e2', '1E-7', '123456789012345678901234567890', 'true', 'false', 'null', '""'),
  );
  const object = fc
    .array(fc.tuple(scalar, scalar), { maxLength: 3 })
    .map(
      (members) => `{${members.map(([key, value]) => `${key.startsWith('"') ? key : `"${key}"`}:${value}`).join(',')}}`,
    );
  const array = fc.array(fc.oneof(scalar, object, fc.json()), { minLength: 1, maxLength: 5 });

  it('takes what it can take as the other splitter does', () => {
    const plain = fc.array(fc.oneof(scalar, object), { minLength: 1 }).filter((all) => !all.join('').includes('\\'));
    fc.assert(
      fc.property(plain, (elements) => {
        expect(splitFlat(`[${elements.join(',')}]`)).toEqual(elements);
        for (const element of elements) expect(splitFlat(element)).toEqual([element]);
      }),
    );
    fc.assert(
      fc.property(array, (elements) => {
        const text = `[${elements.join(',')}]`;
        expect([null, elements]).toContainEqual(splitFlat(text));
        for (const element of elements) expect([null, splitJson(element).values]).toContainEqual(splitFlat(element));
      }),
    );
  });

  it('takes nothing that is no JSON', () => {
    const noise = fc.constantFrom(
      '"',
      '\\',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      '0',
      '-',
      '.',
      'e',
      ' ',
      '\n',
      '\0',
      'x',
      '',
    );
    fc.assert(
      fc.property(fc.tuple(array, fc.boolean()), fc.nat(), fc.nat(2), noise, ([all, single], at, removed, inserted) => {
        const text = single ? (all[0] ?? '0') : `[${all.join(',')}]`;
        const place = at % text.length;
        const broken = text.slice(0, place) + inserted + text.slice(place + removed);
        const values = splitFlat(broken);
        expect(values === null || isJson(broken)).toBe(true);
        expect([null, splitJson(broken).values]).toContainEqual(values);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    '',
    '[',
    ']',
    '[]',
    '[,]',
    '[1,]',
    '[01]',
    '[1.]',
    '[.5]',
    '[+1]',
    '["a\tb"]',
    '["a\\n"]',
    '[ 1]',
    '{',
    '{}}',
    '01',
    '1 ',
    ' "a"',
    '1,2',
    '{"a":{}}',
    '[{"a":1,}]',
    '[{,}]',
    '[tru]',
    '[1]]',
    '[[1]]',
  ])('leaves %j to the other', (text) => {
    expect(splitFlat(text)).toBeNull();
  });

  it('leaves also what is very long', () => {
    expect(splitFlat(`["${'x'.repeat(2_000_000)}"]`)).toBeNull();
    expect(splitFlat(`["${'x'.repeat(1_000_000)}"]`)).toHaveLength(1);
    expect(splitFlat(`["${'x'.repeat(1_000_000)}]`)).toBeNull();
  });
});

describe('text boundaries', () => {
  it('never cut a character, wherever the bytes are cut', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).map((raw) => raw.toWellFormed());
    fc.assert(
      fc.property(text, fc.nat(120), (whole, at) => {
        const bytes = bytesOf(whole);
        const cut = Math.min(at, bytes.length);
        const length = wholeTextLength(bytes.subarray(0, cut));
        expect(cut - length).toBeLessThanOrEqual(3);
        const decode = (part: Uint8Array): string =>
          new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(part);
        expect(decode(bytes.subarray(0, length)) + decode(bytes.subarray(length))).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [[0x41], 1],
    [[0xe2, 0x82], 0],
    [[0x41, 0xf0, 0x9f, 0x98], 1],
    [[0x80, 0x80, 0x80, 0x80], 4],
    [[0xc0], 1],
    [[0xff], 1],
    [[0x41, 0x0d], 1],
    [[], 0],
  ])('of %j is %i', (bytes, length) => {
    expect(wholeTextLength(Uint8Array.from(bytes))).toBe(length);
  });
});

describe('base64', () => {
  it('round-trips any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it('names what is no base64', () => {
    expect(() => fromBase64('%%%')).toThrow('%%%');
  });
});

describe('the SSE codec', () => {
  it('round-trips any data, with line breaks as line feeds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(50), { maxLength: 4 }), (raw, cuts) => {
        const data = raw.toWellFormed();
        const bytes = bytesOf(encodeSseEvent({ id: '7', event: 'data', data }));
        const decoder = createSseDecoder();
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const events = at.slice(1).flatMap((end, i) => decoder.push(bytes.subarray(at[i], end)));
        expect(events).toEqual([{ id: '7', event: 'data', data: data.replaceAll(/\r\n|\r/g, '\n') }]);
      }),
    );
  });

  it('lets no payload make an event of its own', () => {
    const evil = 'x\r\n\r\nevent: control\rdata: {}\n\nid: 9\n\n';
    const events = createSseDecoder().push(bytesOf(encodeSseEvent({ event: 'data', data: evil })));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'data', id: undefined });
  });

  it.each([{ id: 'a\nb' }, { id: 'a\0' }, { event: 'a\r' }])('refuses the field %j', (fields) => {
    expect(() => encodeSseEvent({ ...fields, data: '' })).toThrow(RangeError);
  });

  it('reports comments and keeps them out of the events', () => {
    const comments: string[] = [];
    const decoder = createSseDecoder({ onComment: (comment) => comments.push(comment) });
    expect(decoder.push(bytesOf(encodeSseComment('still\nhere')))).toEqual([]);
    expect(comments).toEqual(['still here']);
  });

  it('refuses an endless event', () => {
    const decoder = createSseDecoder({ maxEventLength: 100 });
    expect(() => decoder.push(bytesOf(`data:${'x'.repeat(200)}`))).toThrow(RangeError);
    expect(() => decoder.push(bytesOf('data: more\n\n'))).toThrow('maxEventLength');
  });

  it('does not report an event that the body cuts off, and cancels a body that is left', async () => {
    let cancelled = 0;
    const body = (texts: string[]): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull: (controller) => {
          const text = texts.shift();
          if (text === undefined) controller.close();
          else controller.enqueue(bytesOf(text));
        },
        cancel: () => void cancelled++,
      });
    const seen: string[] = [];
    for await (const { data } of parseSse(body(['data: a\n\nda', 'ta: b\n\n', 'data: c\n']))) seen.push(data);
    expect(seen).toEqual(['a', 'b']);
    for await (const { data } of parseSse(body(['data: a\n\n', 'data: b\n\n', 'data: c\n\n']))) if (data === 'a') break;
    expect(cancelled).toBe(1);
  });
});

describe('stream URLs', () => {
  it.each([
    ['chats/42', 'http://h/s/chats/42'],
    ['a b/ü?#%', 'http://h/s/a%20b/%C3%BC%3F%23%25'],
    ['runs/a%2Fb/x', 'http://h/s/runs/a%252Fb/x'],
    ['..', 'http://h/s/?perennial-stream=..'],
    ['a/./b', 'http://h/s/?perennial-stream=a%2F.%2Fb'],
    ['a//b', 'http://h/s/?perennial-stream=a%2F%2Fb'],
    ['/a', 'http://h/s/?perennial-stream=%2Fa'],
    ['__ds/x', 'http://h/s/?perennial-stream=__ds%2Fx'],
  ])('of %j', (id, url) => {
    expect(streamUrl('http://h/s', id)).toBe(url);
    expect(streamUrl('http://h/s/', id)).toBe(url);
  });
});
