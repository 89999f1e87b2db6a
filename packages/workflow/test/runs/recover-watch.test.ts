/** What recovery does when the store is away at boot. */
import { createMemoryStreamStore, StreamError, type StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow } from '../../src/index.ts';

describe('recover', () => {
  it('goes on looking when the store was away at the first look', async () => {
    const store = createMemoryStreamStore();
    const first = createWorkflow('boot', {}, { streamStore: store });
    await first.define(() => new Promise<string>(() => undefined)).start({ id: 'open' });
    await first.close();

    let isAway = true;
    const list: StreamStore['list'] = (options) =>
      isAway ? Promise.reject(new StreamError('STORE_ERROR', 'The server is away.')) : store.list(options);
    const flaky = new Proxy(store, {
      get(target, key) {
        if (key === 'list') return list;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const workflow = createWorkflow('boot', {}, { streamStore: flaky, leaseMs: 40, retry: { timeoutMs: 0 } });
    const durable = workflow.define(() => 'done');
    await expect(durable.recover()).rejects.toMatchObject({ code: 'STORE_ERROR' });
    isAway = false;
    expect(await durable.handle('open').result).toEqual({ ok: true, value: 'done' });
    await workflow.close();
  });
});
