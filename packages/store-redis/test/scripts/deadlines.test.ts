import { expect, test, vi } from 'vitest';

import { createDeadlines, type Deadlines } from '../../src/scripts/deadlines.ts';

/** What `deadlines` tell of a promise, as a promise. */
function watched<T>(deadlines: Deadlines, promise: Promise<T>, late = (): Error => new Error('late')): Promise<T> {
  return new Promise((accept, reject) => {
    deadlines.watch(promise, { accept, reject, late });
  });
}

const messageOf = (error: unknown): string => `refused: ${String(error)}`;

test('what settles in time is told as its promise settles, in any order', async () => {
  const deadlines = createDeadlines(60_000);
  const calls = Array.from({ length: 5 }, () => Promise.withResolvers<string>());
  const settled = calls.map(({ promise }) => watched(deadlines, promise).catch(messageOf));
  for (const index of [2, 0, 4]) calls[index]?.resolve(`value ${index}`);
  calls[3]?.reject(new Error('no'));
  calls[1]?.resolve('value 1');
  const expected = ['value 0', 'value 1', 'value 2', 'refused: Error: no', 'value 4'];
  expect(await Promise.all(settled)).toEqual(expected);
  deadlines.close();
});

test('what is late is rejected, oldest first, and nothing is told of it afterwards', async () => {
  const deadlines = createDeadlines(5);
  const order: string[] = [];
  const answered = watched(deadlines, Promise.resolve('in time'));
  const calls = ['first', 'second', 'third'].map((name) => {
    const call = Promise.withResolvers<string>();
    const accept = vi.fn<(value: string) => void>();
    const reject = vi.fn<(error: unknown) => void>((error) => order.push(String(error)));
    deadlines.watch(call.promise, { accept, reject, late: () => new Error(name) });
    return { call, accept, reject };
  });
  expect(await answered).toBe('in time');
  // The timer runs on for those that came later.
  await expect(watched(deadlines, new Promise<string>(() => {}))).rejects.toThrow('late');
  expect(order).toEqual(['Error: first', 'Error: second', 'Error: third']);
  for (const [index, { call, accept, reject }] of calls.entries()) {
    if (index === 0) call.resolve('too late');
    else call.reject(new Error('NOSCRIPT'));
    await call.promise.catch(() => {});
    expect([accept.mock.calls.length, reject.mock.calls.length]).toEqual([0, 1]);
  }
  deadlines.close();
});

test('after close, what is pending is told of its promise', async () => {
  const deadlines = createDeadlines(5);
  const calls = [0, 1].map(() => Promise.withResolvers<string>());
  const settled = calls.map(({ promise }) => watched(deadlines, promise).catch(messageOf));
  deadlines.close();
  const longer = createDeadlines(20);
  await expect(watched(longer, new Promise<string>(() => {}))).rejects.toThrow('late');
  calls[0]?.resolve('value');
  calls[1]?.reject(new Error('no'));
  expect(await Promise.all(settled)).toEqual(['value', 'refused: Error: no']);
  longer.close();
});
