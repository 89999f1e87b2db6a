import assert from 'node:assert/strict';

import { fingerprint, SECRET } from './bystanders.ts';
import type { HostileCase } from './hostile-case.ts';
import type { HostileRequest, Refusal } from './hostile-request.ts';
import { HOSTILE_REQUESTS } from './hostile-requests.ts';
import { type RawAnswer, sendRaw } from './raw-request.ts';

/** One case per request of the table. */
export const refusalCases: readonly HostileCase[] = HOSTILE_REQUESTS.map((request, index) => ({
  group: request.group,
  name: `${index} ${describeRequest(request)}`,
  async check({ url, store, secrets }) {
    const before = await fingerprint(store);
    const { pathname } = new URL(url);
    const target = `${pathname === '/' ? '' : pathname}${request.path}`;
    const answer = await sendRaw(new URL(url), { ...request, target });
    if (answer) assertNothingLeaks(answer, secrets);
    assertRefused(answer, request.refusal);
    assert.equal(await fingerprint(store), before, 'A refused request changes nothing');
  },
}));

/** Fails when an answer shows something of the server's inside, or of streams that the request did not name. */
export function assertNothingLeaks({ text }: RawAnswer, secrets: readonly string[]): void {
  for (const secret of [SECRET, process.cwd(), ...secrets])
    assert.ok(!text.includes(secret), `The answer shows ${JSON.stringify(secret)}: ${text.slice(0, 500)}`);
  const inside = /\n\s+at |node_modules|node:internal|\.[cm]?[jt]s:\d+|ECONN[A-Z]+|ERR_[A-Z_]+/.exec(text);
  assert.equal(inside, null, `The answer shows the inside of the server: ${text.slice(0, 500)}`);
}

function assertRefused(answer: RawAnswer | null, refusal: Refusal): void {
  if (!answer) {
    assert.equal(refusal, 'refused', 'The request had to be answered');
    return;
  }
  const { status, headers, body } = answer;
  const shown = `${status} ${body.slice(0, 300)}`;
  assert.ok((status >= 400 && status < 500) || status === 501, `A refusal is a 4xx, or 501; the answer was ${shown}`);
  if (refusal === 'refused') return;
  const { error } = parseError(body);
  assert.equal(headers.get('perennial-error'), error.code, 'The header names the code of the body');
  assert.ok(error.message.length > 10 && error.message.length < 600, `The message is one: ${error.message}`);
  assert.match(headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('cache-control'), 'no-store');
  if (refusal !== 'typed') assert.deepEqual({ status, code: error.code }, { ...refusal }, shown);
}

function parseError(body: string): { readonly error: { readonly code: string; readonly message: string } } {
  try {
    const value = JSON.parse(body) as { error: { code: string; message: string } };
    assert.equal(typeof value.error.message, 'string');
    return value;
  } catch {
    return assert.fail(`The body is no typed error: ${body.slice(0, 300)}`);
  }
}

function describeRequest({ method, path, headers = [], body }: HostileRequest): string {
  const lines = headers
    .filter(([name, value]) => name !== 'Content-Type' || value !== 'application/json')
    .map(([name, value]) => `${name}: ${value}`);
  const payload = typeof body === 'string' ? body : body && [...body].join(' ');
  return [`${method} ${path}`, ...lines.slice(0, 4), payload]
    .filter((part) => part !== undefined)
    .map((part) => JSON.stringify(part.length > 60 ? `${part.slice(0, 57)}...` : part).slice(1, -1))
    .join(' | ');
}
