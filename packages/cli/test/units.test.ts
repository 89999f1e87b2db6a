import { PassThrough, Readable } from 'node:stream';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseExact } from '../src/commands/exact-json.ts';
import { readLines } from '../src/commands/read-lines.ts';
import { duration } from '../src/commands/show-head.ts';
import { CliError, ConfigError } from '../src/errors.ts';
import { toFailure } from '../src/failure.ts';
import { createDisplay } from '../src/progress/display.ts';
import { createTally } from '../src/progress/tally.ts';
import { printable, printableLines } from '../src/terminal/printable.ts';

describe('parseExact', () => {
  it('keeps every number as it was written, and everything else', () => {
    const number = fc
      .tuple(
        fc.bigInt(),
        fc.option(fc.stringMatching(/^\.\d{1,30}$/)),
        fc.option(fc.stringMatching(/^[eE][+-]?\d{1,4}$/)),
      )
      .map(([whole, fraction, exponent]) => `${whole}${fraction ?? ''}${exponent ?? ''}`);
    const text = fc.oneof(
      number,
      fc.array(number).map((numbers) => `[${numbers.join(',')}]`),
      fc.dictionary(fc.string(), number).map(
        (object) =>
          `{${Object.entries(object)
            .map(([key, value]) => `${JSON.stringify(key)}:${value}`)
            .join(',')}}`,
      ),
    );
    fc.assert(
      fc.property(text, (json) => {
        // Keys that look like indices come first in any JavaScript object, and `__proto__` is no own key in a literal.
        fc.pre(!/"(\d+|__proto__)":/.test(json));
        expect(JSON.stringify(parseExact(json))).toBe(json);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(parseExact(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('refuses what is no JSON', () => {
    expect(() => parseExact('{')).toThrow(SyntaxError);
  });
});

describe('readLines', () => {
  it('is the same however the input is cut', async () => {
    const line = fc.uint8Array({ maxLength: 8 }).map((bytes) => bytes.filter((byte) => byte !== 10 && byte !== 13));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat(12)), async (lines, crlf, cuts) => {
        const input = Buffer.concat(lines.map((bytes) => Buffer.concat([bytes, Buffer.from(crlf ? '\r\n' : '\n')])));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(input.subarray(at, (at += cut)));
        chunks.push(input.subarray(at));
        const seen: Buffer[] = [];
        const source = Readable.from(chunks, { objectMode: false });
        for await (const bytes of readLines(source, new AbortController().signal)) seen.push(Buffer.from(bytes));
        expect(seen).toEqual(lines.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });

  it('ends when its signal fires, without half a line', async () => {
    const input = new PassThrough();
    const stop = new AbortController();
    input.write('one\ntw');
    const seen: string[] = [];
    for await (const line of readLines(input, stop.signal)) {
      seen.push(String(Buffer.from(line)));
      stop.abort();
    }
    expect(seen).toEqual(['one']);
  });
});

describe('the tally of an actor', () => {
  it('counts tokens and their rate, and tells at round numbers', () => {
    let now = 1_000;
    const tally = createTally(() => now);
    const milestones: number[] = [];
    for (let i = 1; i <= 11_000; i++) {
      now += 10;
      if (tally.note({ type: 'data', data: { token: 'x' } })) milestones.push(i);
    }
    expect(milestones).toEqual([
      50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000,
      10_000,
    ]);
    expect(tally.progress).toEqual({ count: 11_000, unit: 'tokens', elapsedMs: 110_000, perSecond: 100 });
  });

  it('knows the result: that of the last chunk, else the text that came, else nothing', () => {
    const text = createTally();
    text.note({ type: 'data', data: 'Hello ' });
    text.note({ type: 'data', data: { token: 'world' } });
    text.note({ type: 'complete' });
    expect(text.result).toBe('Hello world');
    const given = createTally();
    given.note({ type: 'data', data: 'Hello' });
    given.note({ type: 'complete', data: null });
    expect(given.result).toBeNull();
    const mixed = createTally();
    mixed.note({ type: 'data', data: 'Hello' });
    mixed.note({ type: 'data', data: 7 });
    expect([mixed.result, mixed.progress.unit]).toEqual([undefined, 'results']);
  });
});

describe('the display of an actor', () => {
  const progress = { count: 1, unit: 'tokens', elapsedMs: 1_500, perSecond: 0 } as const;

  it('is plain lines where there is no terminal', async () => {
    const stderr = new PassThrough();
    const display = await createDisplay({ stderr, quiet: false });
    display.advance(progress, false);
    display.advance({ ...progress, count: 50, perSecond: 3.14 }, true);
    display.report({ current: 1, total: 3, message: 'evil\u001b[2J' });
    display.complete({ ...progress, count: 50, perSecond: 3.14 });
    expect(String(stderr.read())).toBe(
      'Processing...\nGenerated 50 tokens...\n1/3 evil\\u001b[2J\nComplete! (50 tokens, 3.1 tokens/s, 1.5 s)\n',
    );
  });

  it('quiet, tells of failures only', async () => {
    const stderr = new PassThrough();
    const display = await createDisplay({ stderr, quiet: true });
    display.advance(progress, true);
    display.complete(progress);
    display.fail(progress, 'CODE: why');
    expect(String(stderr.read())).toBe('Failed after 1 token: CODE: why\n');
  });
});

describe('text for a terminal', () => {
  it('has no control characters, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        expect(printableLines(text).replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
    expect(printable('é 你好 📝')).toBe('é 你好 📝');
    expect(JSON.parse(printable(JSON.stringify('\u009b31m')))).toBe('\u009b31m');
  });

  it.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1_500, '1.5 s'],
    [90_000, '1 min 30 s'],
    [7_260_000, '2 h 1 min'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('failures', () => {
  it('carry file and field of a configuration', () => {
    const error = new ConfigError('/p/perennial.config.ts', 'store.url', 'is wrong.');
    expect(error).toBeInstanceOf(CliError);
    expect(error).toMatchObject({ code: 'CONFIG', file: '/p/perennial.config.ts', field: 'store.url' });
    expect(toFailure(error)).toEqual({
      exitCode: 2,
      message: '/p/perennial.config.ts: `store.url` is wrong.',
      hint: undefined,
    });
  });

  it('of anything thrown', () => {
    expect(toFailure('text')).toEqual({ exitCode: 1, message: 'text', hint: undefined });
    expect(toFailure(new TypeError(''))).toEqual({ exitCode: 1, message: 'TypeError', hint: undefined });
  });
});
