/** The troubleshooting guide explains every error code, and none that does not exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { root } from './support/documents.ts';

const ROW = /^\| `([A-Z_]+)` +\|([^|]+)\|([^|]+)\|$/;

const source = readFileSync(join(root, 'packages/core/src/log/errors.ts'), 'utf8');
const union = /export type StreamErrorCode =([^;]+);/.exec(source)?.[1] ?? '';
const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);

describe('the table of stream error codes', () => {
  const rows = tableUnder('Stream error codes');

  it('has a row for every code, in the order of the union', () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(rows.map(({ code }) => code)).toEqual(codes);
  });

  it.each(rows)('tells the cause and the cure of $code', ({ cause, cure }) => {
    expect(cause.length).toBeGreaterThan(20);
    expect(cure.length).toBeGreaterThan(20);
  });
});

function tableUnder(heading: string): { code: string; cause: string; cure: string }[] {
  const guide = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const section = guide.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return section.split('\n').flatMap((line) => {
    const [, code = '', cause = '', cure = ''] = ROW.exec(line) ?? [];
    return code === '' ? [] : [{ code, cause: cause.trim(), cure: cure.trim() }];
  });
}
