import { expect, test, vi } from 'vitest';

import { createDeadlines } from '../../src/scripts/deadlines.ts';

const late = (): Error => new Error('late');
const recover = (error: unknown): string => `recovered from ${String(error)}`;

test('what settles in time settles like its promise, in any order', async () => {
  const deadlines = createDeadlines(60_000);
  const calls = Array.from({ length: 5 }, () => Promise.withResolvers<string>());
  const settled = calls.map(({ promise }) => deadlines.within(promise, { late, recover }));
  for (const index of [2, 0, 4]) calls[index]?.resolve(`value ${index}`);
  calls[3]?.reject(new Error('refused'));
  calls[1]?.resolve('value 1');
  const expected = ['value 0', 'value 1', 'value 2', 'recovered from Error: refused', 'value 4'];
  expect(await Promise.all(settled)).toEqual(expected);
  deadlines.close();
});

test('what recover throws is the rejection', async () => {
  const deadlines = createDeadlines(60_000);
  const translated = deadlines.within(Promise.reject(new Error('raw')), {
    late,
    recover: () => {
      throw new Error('translated');
    },
  });
  await expect(translated).rejects.toThrow('translated');
  deadlines.close();
});

test('what is late is rejected, oldest first, and is not recovered from afterwards', async () => {
  const deadlines = createDeadlines(5);
  const order: string[] = [];
  const answered = deadlines.within(Promise.resolve('in time'), { late, recover });
  const calls = ['first', 'second'].map((name) => {
    const call = Promise.withResolvers<string>();
    const recovering = vi.fn<typeof recover>(recover);
    const settled = deadlines
      .within(call.promise, { late: () => new Error(name), recover: recovering })
      .catch((error: unknown) => order.push(String(error)));
    return { call, recovering, settled };
  });
  expect(await answered).toBe('in time');
  await Promise.all(calls.map(({ settled }) => settled));
  expect(order).toEqual(['Error: first', 'Error: second']);
  for (const { call, recovering } of calls) {
    call.reject(new Error('NOSCRIPT'));
    await expect(call.promise).rejects.toThrow('NOSCRIPT');
    expect(recovering).not.toHaveBeenCalled();
  }
  // The timer runs on for those that came later.
  await expect(deadlines.within(new Promise<string>(() => {}), { late, recover })).rejects.toThrow('late');
  deadlines.close();
});

test('after close, what is pending settles with its promise', async () => {
  const deadlines = createDeadlines(5);
  const calls = [0, 1].map(() => Promise.withResolvers<string>());
  const settled = calls.map(({ promise }) => deadlines.within(promise, { late, recover }));
  deadlines.close();
  const longer = createDeadlines(20);
  await expect(longer.within(new Promise<string>(() => {}), { late, recover })).rejects.toThrow('late');
  calls[0]?.resolve('value');
  calls[1]?.reject(new Error('refused'));
  expect(await Promise.all(settled)).toEqual(['value', 'recovered from Error: refused']);
  longer.close();
});
