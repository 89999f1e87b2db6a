import { getEventListeners } from 'node:events';

import { describe, expect, it, vi } from 'vitest';

import {
  createHead,
  createStreamWaiters,
  MAX_TIMER_MS,
  StreamNotFoundError,
  type StreamHead,
  type StreamWaiters,
} from '../../src/index.ts';

const EMPTY = createHead({ id: 's', incarnation: 'i', now: 0 }, {});
const at = (nextPosition: number, changes: Partial<StreamHead> = {}): StreamHead => ({
  ...EMPTY,
  nextPosition,
  ...changes,
});
const COMPLETED = { outcome: 'completed' } as const;

const waiters = (latest = EMPTY): StreamWaiters => createStreamWaiters(() => latest);

describe('createStreamWaiters', () => {
  it.each([
    ['a position that exists', at(2), { position: 1 }],
    ['an ended stream', at(0, { end: COMPLETED }), { position: Infinity }],
    ['a cancel request', at(0, { cancel: { requestedAt: 1 } }), { position: 5, cancel: true }],
  ])('resolves at once for %s', async (_name, head, options) => {
    const set = waiters();
    expect(await set.wait(head, options)).toBe(head);
    expect(set.size).toBe(0);
  });

  it('wakes those that the head satisfies, and forgets them', async () => {
    const set = waiters();
    const first = set.wait(EMPTY, { position: 0 });
    const second = set.wait(EMPTY, { position: 1 });
    const third = set.wait(EMPTY, { position: Infinity, cancel: true });
    expect(set.size).toBe(3);
    set.notify(at(1));
    expect((await first).nextPosition).toBe(1);
    expect(set.size).toBe(2);
    set.notify(at(2, { cancel: { requestedAt: 1 } }));
    expect((await second).nextPosition).toBe(2);
    expect((await third).cancel).toEqual({ requestedAt: 1 });
    expect(set.size).toBe(0);
  });

  it('rejects all when the stream is gone', async () => {
    const set = waiters();
    const waits = [set.wait(EMPTY, { position: 0 }), set.wait(EMPTY, { position: 9, cancel: true })];
    set.fail(new StreamNotFoundError('s'));
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(set.size).toBe(0);
  });

  it('rejects with the reason as cause when aborted, and leaves no listener', async () => {
    const set = waiters();
    const controller = new AbortController();
    const wait = set.wait(EMPTY, { position: 0, signal: controller.signal });
    const woken = set.wait(EMPTY, { position: 0, signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort').length).toBe(2);
    const reason = new Error('left');
    set.notify(at(0));
    controller.abort(reason);
    for (const each of [wait, woken]) await expect(each).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    expect([set.size, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
    await expect(set.wait(at(9), { position: 0, signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('removes listener and timer when woken', async () => {
    vi.useFakeTimers();
    try {
      const set = waiters();
      const { signal } = new AbortController();
      const wait = set.wait(EMPTY, { position: 0, signal, timeoutMs: 50 });
      expect(vi.getTimerCount()).toBe(1);
      set.notify(at(1));
      await wait;
      expect([vi.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('resolves with the latest head on timeout', async () => {
    vi.useFakeTimers();
    try {
      const latest = at(0, { token: 5 });
      const set = waiters(latest);
      const wait = set.wait(EMPTY, { position: 0, timeoutMs: 50 });
      await vi.advanceTimersByTimeAsync(49);
      expect(set.size).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(await wait).toBe(latest);
      expect(set.size).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not fire a timeout early that no timer can hold', async () => {
    vi.useFakeTimers();
    try {
      const set = waiters();
      const wait = set.wait(EMPTY, { position: 0, timeoutMs: Number.MAX_SAFE_INTEGER });
      await vi.advanceTimersByTimeAsync(MAX_TIMER_MS - 1);
      expect(set.size).toBe(1);
      set.notify(at(1));
      expect((await wait).nextPosition).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
