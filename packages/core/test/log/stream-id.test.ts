import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { assertStreamId, MAX_STREAM_ID_LENGTH, runStreamId } from '../../src/index.ts';

describe('assertStreamId', () => {
  it.each(['a', '../../etc/passwd', '\u0000', ' ', '.', '\u{1f600}', '__proto__', 'x'.repeat(MAX_STREAM_ID_LENGTH)])(
    'accepts %j',
    (id) => {
      expect(() => assertStreamId(id)).not.toThrow();
    },
  );

  it.each([
    ['nothing', ''],
    ['no string', 5],
    ['null', null],
    ['undefined', undefined],
    ['an array', ['a']],
    ['a lone surrogate', 'a\ud800'],
    ['a reversed pair', '\ude00\ud83d'],
    ['too much', 'x'.repeat(MAX_STREAM_ID_LENGTH + 1)],
  ])('refuses %s', (_name, id) => {
    expect(() => assertStreamId(id)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'id' }));
  });

  it('does not repeat a huge id in its message', () => {
    expect(() => assertStreamId('x'.repeat(1_000_000))).toThrow(/^.{1,300}$/);
  });
});

describe('runStreamId', () => {
  it.each([
    ['r42', 'tokens', 'runs/r42/tokens'],
    ['a/b', 'c/d', 'runs/a%2Fb/c%2Fd'],
    ['r 1', '\u00e9%', 'runs/r%201/%C3%A9%25'],
    ['...', '.a', 'runs/.../.a'],
  ])('of %j and %j is %j', (runId, namespace, id) => {
    expect(runStreamId(runId, namespace)).toBe(id);
  });

  it.each([
    ['workflowId', '', 'n'],
    ['workflowId', '..', 'n'],
    ['workflowId', '\ud800', 'n'],
    ['namespace', 'r', '.'],
    ['namespace', 'r', ''],
    ['namespace', 'r', 5],
  ])('refuses a bad %s', (argument, runId, namespace) => {
    expect(() => runStreamId(runId, namespace as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
  });

  it('keeps different runs and namespaces apart, as segments that a URL leaves alone', () => {
    const part = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .filter((text) => text !== '.' && text !== '..');
    const check = (runId: string, namespace: string): void => {
      const id = runStreamId(runId, namespace);
      const segments = id.split('/');
      expect(segments.length).toBe(3);
      expect(segments.slice(1).map(decodeURIComponent)).toEqual([runId, namespace]);
      expect(new URL(`http://host/${id}`).pathname).toBe(`/${id}`);
    };
    fc.assert(fc.property(part, part, check), { numRuns: 500 });
  });
});
