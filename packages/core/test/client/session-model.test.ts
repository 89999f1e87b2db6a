import { createMemoryStreamStore, liveView, type NewRecord } from '@perennial/core';
import { createStreamSession, type StreamSession, type StreamSnapshot } from '@perennial/core/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { settle } from './support/manual-clock.ts';
import { schemaOf } from './support/schema.ts';

/** A schema that takes its time. */
const lateSchema = schemaOf(Number, { late: true });

const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('data' as const),
      step: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('retry' as const), step: fc.constantFrom('a', 'b') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
);

/** A log in which steps write, are retried and retracted, while a session follows, is looked at, and is replaced by one that goes on. */
async function follow<TData>(
  actions: readonly { readonly type: string; readonly step?: string | undefined }[],
  open: (
    source: { store: ReturnType<typeof createMemoryStreamStore>; streamId: string },
    snapshot?: StreamSnapshot<TData>,
  ) => StreamSession<number, TData>,
  expected: (live: number[]) => TData,
): Promise<string> {
  const store = createMemoryStreamStore();
  await store.create('s');
  const source = { store, streamId: 's' };
  const attempts = new Map<string, number>();
  let session = open(source);
  session.connect();
  let n = 0;
  const check = async (): Promise<void> => {
    await settle();
    await settle();
    const { records } = await store.read('s', { from: 0, limit: 10_000 });
    const live = liveView(records).map(({ data }) => Number(data));
    expect(session.getState()).toMatchObject({ count: live.length, position: records.length });
    expect(session.getState().data).toEqual(expected(live));
  };
  for (const { type, step } of actions) {
    if (type === 'look') {
      await check();
    } else if (type === 'restart') {
      const snapshot = JSON.parse(JSON.stringify(session.snapshot())) as StreamSnapshot<TData>;
      session.close();
      session = open(source, snapshot);
      session.connect();
    } else {
      const attempt = (attempts.get(step ?? '') ?? 1) + (type === 'retry' ? 1 : 0);
      if (step !== undefined) attempts.set(step, attempt);
      const record: NewRecord =
        type === 'retry'
          ? { kind: 'supersede', step: step ?? '', belowAttempt: attempt }
          : { data: String(n++), ...(step !== undefined && { step, attempt }) };
      await store.append('s', { segments: [{ records: [record] }] });
    }
  }
  await check();
  await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
  await check();
  const { status } = session.getState();
  session.close();
  return status;
}

describe('a session shows the live view', () => {
  it('as items, whatever is retracted and whenever it is restarted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), fc.boolean(), async (actions, late) => {
        const status = await follow<readonly number[]>(
          actions,
          (source, snapshot) =>
            createStreamSession<number>(source, {
              batch: 'none',
              ...(late && { schema: lateSchema }),
              ...(snapshot && { snapshot }),
            }),
          (live) => live,
        );
        expect(status).toBe('closed');
      }),
      { numRuns: 300 },
    );
  });

  it('reduced, with little room to undo', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.constantFrom(0, 1, 5, 10_000),
        async (actions, maxUndo) => {
          const status = await follow<string>(
            actions,
            (source, snapshot) =>
              createStreamSession<number, string>(source, {
                batch: 'none',
                reduce: (text, item) => `${text} ${item}`,
                initial: '',
                maxUndo,
                ...(snapshot && { snapshot }),
              }),
            (live) => live.map((item) => ` ${item}`).join(''),
          );
          expect(status).toBe('closed');
        },
      ),
      { numRuns: 300 },
    );
  });
});
