import { describe, expect, it } from 'vitest';

import {
  assertAppendRequest,
  assertCreateOptions,
  assertEnd,
  assertListOptions,
  assertMark,
  assertProducerId,
  assertReadOptions,
  assertWaitOptions,
} from '../../src/index.ts';

type Check = (value: never) => void;

/** The error of the check, or undefined when it accepts the value. */
function refusal(check: Check, value: unknown): unknown {
  try {
    check(value as never);
    return undefined;
  } catch (error) {
    return error;
  }
}

const refused = (argument: string): unknown =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', type: 'STREAM_INVALID_ARGUMENT', argument });

const segment = (fields: object): unknown => ({ segments: [{ records: [{ data: '1' }], ...fields }] });
const record = (fields: unknown): unknown => ({ segments: [{ records: [fields] }] });

describe('assertAppendRequest', () => {
  it.each([
    [{ segments: [{ records: [{ data: '' }] }] }],
    [{ segments: [{ records: [{ data: new Uint8Array() }] }], token: 0 }],
    [{ segments: [{ records: [], end: { outcome: 'completed' } }] }],
    [segment({ producer: { id: '__proto__', epoch: 0, seq: Number.MAX_SAFE_INTEGER } })],
    [segment({ sequencing: 'segment', contentType: '', expectedPosition: 0, streamSeq: '' })],
    [record({ data: '"\\ud800"', step: 's', attempt: 1 })],
    [record({ kind: 'supersede', step: 's', belowAttempt: 0 })],
    [segment({ end: { outcome: 'failed', error: { code: '', message: '' } } })],
  ])('accepts %j', (request) => {
    expect(() => assertAppendRequest(request as never)).not.toThrow();
  });

  it.each([
    ['request', null],
    ['request', 'x'],
    ['segments', {}],
    ['segments', { segments: [] }],
    ['segments', { segments: 'x' }],
    ['segments', { segments: [null] }],
    ['token', { ...(segment({}) as object), token: -1 }],
    ['token', { ...(segment({}) as object), token: null }],
    ['records', { segments: [{}] }],
    ['records', { segments: [{ records: [] }] }],
    ['records', { segments: [{ records: [null] }] }],
    ['records', { segments: [{ records: new Set() }] }],
    ['producer', segment({ producer: 'p' })],
    ['producer', segment({ producer: null })],
    ['producer.id', segment({ producer: { id: '', epoch: 0, seq: 0 } })],
    ['producer.id', segment({ producer: { id: '\ud800', epoch: 0, seq: 0 } })],
    ['producer.epoch', segment({ producer: { id: 'p', epoch: -1, seq: 0 } })],
    ['producer.epoch', segment({ producer: { id: 'p', seq: 0 } })],
    ['producer.seq', segment({ producer: { id: 'p', epoch: 0, seq: 2 ** 53 } })],
    ['producer.seq', segment({ producer: { id: 'p', epoch: 0, seq: 0.5 } })],
    ['producer.seq', segment({ producer: { id: 'p', epoch: 0, seq: '0' } })],
    ['sequencing', segment({ sequencing: 'batch' })],
    ['contentType', segment({ contentType: 7 })],
    ['expectedPosition', segment({ expectedPosition: Number.NaN })],
    ['streamSeq', segment({ streamSeq: 7 })],
    ['kind', record({ kind: 'end', data: '1' })],
    ['data', record({})],
    ['data', record({ data: 1 })],
    ['data', record({ data: [1] })],
    ['data', record({ data: new ArrayBuffer(1) })],
    ['data', record({ data: '"\ud800"' })],
    ['step', record({ data: '1', step: '' })],
    ['step', record({ kind: 'supersede', belowAttempt: 2 })],
    ['attempt', record({ data: '1', step: 's', attempt: 0 })],
    ['attempt', record({ data: '1', attempt: 1 })],
    ['belowAttempt', record({ kind: 'supersede', step: 's' })],
    ['end', segment({ end: null })],
    ['end.outcome', segment({ end: { outcome: 'ended' } })],
  ])('refuses %s of %j', (argument, request) => {
    expect(refusal(assertAppendRequest, request)).toEqual(refused(argument));
  });
});

describe('assertEnd', () => {
  it.each([
    ['end', undefined],
    ['end.outcome', {}],
    ['end.outcome', { outcome: 'Completed' }],
    ['end.reason', { outcome: 'cancelled', reason: 5 }],
    ['end.reason', { outcome: 'cancelled', reason: '\udfff' }],
    ['end.error', { outcome: 'failed', error: 'x' }],
    ['end.error.code', { outcome: 'failed', error: { message: 'm' } }],
    ['end.error.message', { outcome: 'failed', error: { code: 'c', message: '\ud800' } }],
    ['end.error.name', { outcome: 'failed', error: { code: 'c', message: 'm', name: 1 } }],
    ['end.error.stack', { outcome: 'failed', error: { code: 'c', message: 'm', stack: 1 } }],
  ])('refuses %s of %j', (argument, end) => {
    expect(refusal(assertEnd, end)).toEqual(refused(argument));
  });
});

describe('assertCreateOptions', () => {
  it.each([
    [{}],
    [{ contentType: 'application/vnd.api+json' }],
    [{ contentType: 'Text/Plain ; charset="utf-8"' }],
    [{ ttlMs: 0 }],
    [{ expiresAt: 0, leaseMs: 1, owner: 'o', token: 0, records: [], end: { outcome: 'completed' } }],
    [{ contentType: 'text/plain', records: [{ data: new Uint8Array(1) }] }],
  ])('accepts %j', (options) => {
    expect(() => assertCreateOptions(options as never)).not.toThrow();
  });

  it.each([
    ['options', null],
    ['contentType', { contentType: '' }],
    ['contentType', { contentType: 'json' }],
    ['contentType', { contentType: 'a/b/c' }],
    ['contentType', { contentType: 'a /b' }],
    ['contentType', { contentType: 'text/plain\r\n' }],
    ['contentType', { contentType: 'text/plain;\nx' }],
    ['contentType', { contentType: 'text/plain; \u00e9' }],
    ['contentType', { contentType: null }],
    ['ttlMs', { ttlMs: -1 }],
    ['ttlMs', { ttlMs: '60' }],
    ['expiresAt', { expiresAt: 1.5 }],
    ['expiresAt', { expiresAt: 1, ttlMs: 1 }],
    ['leaseMs', { leaseMs: 0 }],
    ['leaseMs', { leaseMs: Infinity }],
    ['owner', { owner: '' }],
    ['token', { token: -1 }],
    ['records', { records: {} }],
    ['records', { records: [{ data: new Uint8Array(1) }] }],
    ['records', { contentType: 'text/plain', records: [{ data: '1' }] }],
    ['data', { records: [{}] }],
    ['end', { end: null }],
    ['end.outcome', { end: { outcome: '' } }],
  ])('refuses %s of %j', (argument, options) => {
    expect(refusal(assertCreateOptions, options)).toEqual(refused(argument));
  });
});

describe('the other checks', () => {
  it.each([
    [assertReadOptions, 'options', undefined],
    [assertReadOptions, 'from', {}],
    [assertReadOptions, 'from', { from: -1 }],
    [assertReadOptions, 'limit', { from: 0, limit: 0 }],
    [assertReadOptions, 'maxBytes', { from: 0, maxBytes: 0.5 }],
    [assertListOptions, 'options', null],
    [assertListOptions, 'prefix', { prefix: 1 }],
    [assertListOptions, 'after', { after: '\ud800' }],
    [assertListOptions, 'limit', { limit: 0 }],
    [assertWaitOptions, 'options', undefined],
    [assertWaitOptions, 'position', {}],
    [assertWaitOptions, 'position', { position: -1 }],
    [assertWaitOptions, 'position', { position: -Infinity }],
    [assertWaitOptions, 'position', { position: Number.NaN }],
    [assertWaitOptions, 'timeoutMs', { position: 0, timeoutMs: -1 }],
    [assertWaitOptions, 'timeoutMs', { position: 0, timeoutMs: Number.NaN }],
    [assertWaitOptions, 'timeoutMs', { position: 0, timeoutMs: '5' }],
    [assertMark, 'mark', null],
    [assertMark, 'mark', { type: 'end' }],
    [assertMark, 'reason', { type: 'cancel', reason: 1 }],
    [assertMark, 'token', { type: 'lease', token: -1 }],
    [assertMark, 'durationMs', { type: 'lease', durationMs: 0 }],
    [assertMark, 'token', { type: 'fence', nonce: 'n' }],
    [assertMark, 'nonce', { type: 'fence', token: 1, nonce: '' }],
  ] as const)('%o refuses %s of %j', (check, argument, value) => {
    expect(refusal(check, value)).toEqual(refused(argument));
  });

  it.each([
    [assertReadOptions, { from: 0 }],
    [assertReadOptions, { from: Number.MAX_SAFE_INTEGER, limit: 1, maxBytes: 1 }],
    [assertListOptions, {}],
    [assertListOptions, { prefix: '', after: '', limit: 1 }],
    [assertWaitOptions, { position: Infinity, timeoutMs: Infinity }],
    [assertWaitOptions, { position: 0, timeoutMs: 0.5 }],
    [assertMark, { type: 'cancel' }],
    [assertMark, { type: 'lease', durationMs: null }],
    [assertMark, { type: 'fence', token: 0, nonce: 'n' }],
  ] as const)('%o accepts %j', (check, value) => {
    expect(() => (check as Check)(value as never)).not.toThrow();
  });

  it('names the argument that a producer id was passed as', () => {
    expect(() => assertProducerId('producerId', 5)).toThrow(/`producerId`.*5/);
  });
});
