import assert from 'node:assert/strict';

import type { AppendRequest, AppendSegment, CreateOptions, NewRecord, StreamEnd, StreamStore } from '@perennial/core';

import { append, headOf, numbered, STREAM, unchanged, wrong } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';
import type { StoreFeature } from '../store-target.ts';

const test = storeCases('invalid arguments');

/** Calls that all have to be refused because of one argument. */
interface InvalidCalls {
  readonly verb: string;
  /** The name that the error has to give. */
  readonly argument: string;
  readonly values: readonly unknown[];
  readonly call: (store: StreamStore, value: unknown) => Promise<unknown>;
  readonly needs?: readonly StoreFeature[];
}

const NOT_COUNTERS = [-1, 1.5, Number.NaN, Infinity, 2 ** 53, '1', null];
const NOT_POSITIVE = [0, ...NOT_COUNTERS];
const NOT_TEXTS = ['', '\ud800', 5, {}];
const NOT_IDS = ['', '\ud83d', 'x\udc00y', 'x'.repeat(2_049), 5, null, undefined, {}, ['a']];
const NOT_ENDS = [
  'completed',
  {},
  { outcome: 'done' },
  { outcome: 'failed', error: 'x' },
  { outcome: 'failed', error: { code: 5, message: 'm' } },
  { outcome: 'failed', error: { code: 'C' } },
];

const create = (options: object) => (store: StreamStore) => store.create('new', wrong<CreateOptions>(options));
const segment = (store: StreamStore, fields: object): Promise<unknown> =>
  append(store, wrong<AppendSegment>({ records: numbered(1), ...fields }));
const record = (store: StreamStore, fields: unknown): Promise<unknown> =>
  append(store, { records: [{ data: '1' }, wrong<NewRecord>(fields)] });
const option = (
  verb: string,
  argument: string,
  values: readonly unknown[],
  ...needs: readonly StoreFeature[]
): InvalidCalls => ({
  verb,
  argument,
  values,
  call: (store, value) =>
    verb === 'create' ? create({ [argument]: value })(store) : segment(store, { [argument]: value }),
  needs,
});

const streamIds: readonly InvalidCalls[] = [
  { verb: 'create', call: (store: StreamStore, id: unknown) => store.create(wrong(id)) },
  {
    verb: 'append',
    call: (store: StreamStore, id: unknown) => store.append(wrong(id), { segments: [{ records: numbered(1) }] }),
  },
  { verb: 'read', call: (store: StreamStore, id: unknown) => store.read(wrong(id), { from: 0 }) },
  { verb: 'wait', call: (store: StreamStore, id: unknown) => store.wait(wrong(id), { position: 0 }) },
  { verb: 'head', call: (store: StreamStore, id: unknown) => store.head(wrong(id)) },
  {
    verb: 'producer',
    call: (store: StreamStore, id: unknown) => store.producer(wrong(id), 'p'),
    needs: ['producer'] as const,
  },
  { verb: 'delete', call: (store: StreamStore, id: unknown) => store.delete(wrong(id)) },
  { verb: 'mark', call: (store: StreamStore, id: unknown) => store.mark(wrong(id), { type: 'cancel' }) },
].map((row) => ({ ...row, argument: 'id', values: NOT_IDS }));

const creations: readonly InvalidCalls[] = [
  option('create', 'contentType', ['', 'json', 'a/b\r\nx: y', 'a/b\r\n', 5, null]),
  option('create', 'ttlMs', NOT_COUNTERS),
  option('create', 'expiresAt', NOT_COUNTERS),
  {
    verb: 'create',
    argument: 'expiresAt',
    values: ['together with ttlMs'],
    call: create({ ttlMs: 1_000, expiresAt: 1 }),
  },
  option('create', 'leaseMs', NOT_POSITIVE, 'lease'),
  option('create', 'owner', NOT_TEXTS, 'owner'),
  option('create', 'token', NOT_COUNTERS, 'fencing'),
  option('create', 'records', ['x', {}, 5]),
  {
    verb: 'create',
    argument: 'data',
    values: [undefined, null, 5, {}, '\ud800'],
    call: (store, data) => create({ records: [{ data }] })(store),
  },
  { verb: 'create', argument: 'end', values: NOT_ENDS, call: (store, end) => create({ end })(store) },
];

const appends: readonly InvalidCalls[] = [
  {
    verb: 'append',
    argument: 'segments',
    values: [undefined, [], 'x', {}, null],
    call: (store, segments) => store.append(STREAM, wrong<AppendRequest>({ segments })),
  },
  {
    verb: 'append',
    argument: 'token',
    values: NOT_COUNTERS,
    call: (store, token) => store.append(STREAM, wrong<AppendRequest>({ segments: [{ records: numbered(1) }], token })),
    needs: ['fencing'],
  },
  option('append', 'records', [undefined, null, 'x', {}, []]),
  option('append', 'sequencing', ['both', 5]),
  option('append', 'expectedPosition', NOT_COUNTERS),
  option('append', 'streamSeq', [5, {}, '\ud800']),
  option('append', 'contentType', [5, {}]),
  { verb: 'append', argument: 'end', values: NOT_ENDS, call: (store, end) => segment(store, { end }) },
  {
    verb: 'append',
    argument: 'producer.id',
    values: [...NOT_TEXTS, undefined],
    call: (store, id) => segment(store, { producer: { id, epoch: 0, seq: 0 } }),
  },
  {
    verb: 'append',
    argument: 'producer.epoch',
    values: [...NOT_COUNTERS, undefined],
    call: (store, epoch) => segment(store, { producer: { id: 'p', epoch, seq: 0 } }),
  },
  {
    verb: 'append',
    argument: 'producer.seq',
    values: [...NOT_COUNTERS, undefined],
    call: (store, seq) => segment(store, { producer: { id: 'p', epoch: 0, seq } }),
  },
  { verb: 'append', argument: 'records', values: [null, undefined, 5, 'x'], call: record },
  { verb: 'append', argument: 'kind', values: ['end', 5], call: (store, kind) => record(store, { kind, data: '1' }) },
  {
    verb: 'append',
    argument: 'data',
    values: [undefined, null, 5, {}, [1], '\ud800', '"\udc00"'],
    call: (store, data) => record(store, { data }),
  },
  {
    verb: 'append',
    argument: 'step',
    values: NOT_TEXTS,
    call: (store, step) => record(store, { data: '1', step }),
    needs: ['steps'],
  },
  {
    verb: 'append',
    argument: 'attempt',
    values: NOT_POSITIVE,
    call: (store, attempt) => record(store, { data: '1', step: 's', attempt }),
    needs: ['steps'],
  },
  {
    verb: 'append',
    argument: 'attempt',
    values: ['without a step'],
    call: (store) => record(store, { data: '1', attempt: 1 }),
    needs: ['steps'],
  },
  {
    verb: 'append',
    argument: 'step',
    values: [...NOT_TEXTS, undefined],
    call: (store, step) => record(store, { kind: 'supersede', step, belowAttempt: 2 }),
    needs: ['supersede'],
  },
  {
    verb: 'append',
    argument: 'belowAttempt',
    values: [...NOT_COUNTERS, undefined],
    call: (store, belowAttempt) => record(store, { kind: 'supersede', step: 's', belowAttempt }),
    needs: ['supersede'],
  },
];

const readings: readonly InvalidCalls[] = [
  {
    verb: 'read',
    argument: 'from',
    values: [...NOT_COUNTERS, undefined],
    call: (store, from) => store.read(STREAM, { from: wrong(from) }),
  },
  {
    verb: 'read',
    argument: 'limit',
    values: NOT_POSITIVE,
    call: (store, limit) => store.read(STREAM, { from: 0, limit: wrong(limit) }),
  },
  {
    verb: 'read',
    argument: 'maxBytes',
    values: NOT_POSITIVE,
    call: (store, maxBytes) => store.read(STREAM, { from: 0, maxBytes: wrong(maxBytes) }),
  },
  {
    verb: 'wait',
    argument: 'position',
    values: [-1, 1.5, Number.NaN, -Infinity, '0', null, undefined],
    call: (store, position) => store.wait(STREAM, { position: wrong(position) }),
  },
  {
    verb: 'wait',
    argument: 'timeoutMs',
    values: [-1, Number.NaN, '5', null, {}],
    call: (store, timeoutMs) => store.wait(STREAM, { position: 0, timeoutMs: wrong(timeoutMs) }),
  },
  {
    verb: 'producer',
    argument: 'producerId',
    values: [...NOT_TEXTS, undefined],
    call: (store, id) => store.producer(STREAM, wrong(id)),
    needs: ['producer'],
  },
  {
    verb: 'list',
    argument: 'prefix',
    values: [5, {}, null],
    call: (store, prefix) => store.list({ prefix: wrong(prefix) }),
    needs: ['list'],
  },
  {
    verb: 'list',
    argument: 'after',
    values: [5, {}, null],
    call: (store, after) => store.list({ after: wrong(after) }),
    needs: ['list'],
  },
  {
    verb: 'list',
    argument: 'limit',
    values: NOT_POSITIVE,
    call: (store, limit) => store.list({ limit: wrong(limit) }),
    needs: ['list'],
  },
];

const marks: readonly InvalidCalls[] = [
  {
    verb: 'mark',
    argument: 'mark',
    values: [null, undefined, 'cancel', {}, { type: 'end' }],
    call: (store, mark) => store.mark(STREAM, wrong(mark)),
  },
  {
    verb: 'mark',
    argument: 'reason',
    values: [5, {}, null, '\ud800'],
    call: (store, reason) => store.mark(STREAM, { type: 'cancel', reason: wrong(reason) }),
  },
  {
    verb: 'mark',
    argument: 'durationMs',
    values: [0, -1, 1.5, Number.NaN, Infinity, '5'],
    call: (store, durationMs) => store.mark(STREAM, { type: 'lease', durationMs: wrong(durationMs) }),
    needs: ['lease'],
  },
  {
    verb: 'mark',
    argument: 'token',
    values: NOT_COUNTERS,
    call: (store, token) => store.mark(STREAM, { type: 'lease', token: wrong(token) }),
    needs: ['lease', 'fencing'],
  },
  {
    verb: 'mark',
    argument: 'token',
    values: [...NOT_COUNTERS, undefined],
    call: (store, token) => store.mark(STREAM, { type: 'fence', token: wrong(token), nonce: 'n' }),
    needs: ['fencing'],
  },
  {
    verb: 'mark',
    argument: 'nonce',
    values: [...NOT_TEXTS, undefined],
    call: (store, nonce) => store.mark(STREAM, { type: 'fence', token: 9, nonce: wrong(nonce) }),
    needs: ['fencing'],
  },
];

/** Names a value in the title of a case. */
function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object' && value !== null
        ? JSON.stringify(value)
        : String(value);
  return text.length > 24 ? `${text.slice(0, 21)}...` : text;
}

function invalidCase({ verb, argument, values, call, needs = [] }: InvalidCalls): StoreCase {
  const name = `${verb} refuses \`${argument}\`: ${values.map(show).join(', ')}`;
  const check: StoreCase['check'] = async ({ store, refuses }) => {
    await store.create(STREAM, { records: numbered(1) });
    for (const value of values) {
      const error = await unchanged(store, () => refuses(call(store, value), 'INVALID_ARGUMENT'));
      const named = typeof error.argument === 'string' ? error.argument : '';
      assert.ok(
        named === argument || named.startsWith(`${argument}.`),
        `The error names \`${named}\`, not \`${argument}\`: ${error.message}`,
      );
      assert.ok(error.message.includes(argument) || error.message.length > 20, 'The message says what is wrong');
    }
    assert.equal(await store.head('new'), null, 'A refused creation creates nothing');
  };
  return test(name, check, ...needs);
}

/** Arguments that no store could honour: each a typed error that names the argument, with nothing changed. */
export const invalidArgumentCases: readonly StoreCase[] = [
  ...[...streamIds, ...creations, ...appends, ...readings, ...marks].map(invalidCase),
  test(
    'an invalid segment spoils the append of valid ones',
    async ({ store, refuses }) => {
      await store.create(STREAM);
      const segments = [{ records: numbered(1) }, { records: [] }];
      await unchanged(store, () => refuses(store.append(STREAM, { segments }), 'INVALID_ARGUMENT'));
    },
    'segments',
  ),
  test('an invalid end spoils the records it comes with', async ({ store, refuses }) => {
    await store.create(STREAM);
    const end = wrong<StreamEnd>({ outcome: 'over' });
    await unchanged(store, () => refuses(append(store, { records: numbered(2), end }), 'INVALID_ARGUMENT'));
    assert.equal((await headOf(store)).end, null);
  }),
];
