/** Entity tags and cache headers (PROTOCOL.md, "Caching"). */
import { formatOffset } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import { append, createHarness, seed } from './support/harness.ts';

describe('entity tags', () => {
  it('answer 304 for the same page, in every way a client may send them', async () => {
    const { store, send } = createHarness();
    await seed(store, 's', [1]);
    const etag = (await send('GET', 's')).headers.get('ETag') ?? '';
    for (const sent of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await send('GET', 's', { headers: { 'If-None-Match': sent } });
      expect(again.status).toBe(304);
      expect(again.headers.get('ETag')).toBe(etag);
      expect(await again.text()).toBe('');
    }
    expect((await send('GET', 's', { headers: { 'If-None-Match': '"x"' } })).status).toBe(200);
  });

  it('change with the data, the end, a cancel request and the incarnation', async () => {
    const { store, send } = createHarness();
    const tags = new Set<string | null>();
    const take = async (): Promise<void> => void tags.add((await send('GET', 's')).headers.get('ETag'));
    await seed(store, 's', [1]);
    await take();
    await append(store, 's', 2);
    await take();
    await store.mark('s', { type: 'cancel' });
    await take();
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    await take();
    await store.delete('s');
    await seed(store, 's', [1]);
    await take();
    expect(tags.size).toBe(5);
  });

  it('never call a new stream of the same id unchanged', async () => {
    const { store, send } = createHarness();
    await seed(store, 's', ['old']);
    const old = await send('GET', 's');
    await store.delete('s');
    await seed(store, 's', ['new']);
    const fresh = await send('GET', 's', { headers: { 'If-None-Match': old.headers.get('ETag') ?? '' } });
    expect(fresh.status).toBe(200);
    expect(await fresh.json()).toEqual(['new']);
    expect(fresh.headers.get('Perennial-Incarnation')).not.toBe(old.headers.get('Perennial-Incarnation'));
  });

  it('are the same for a page in the middle, whatever is appended', async () => {
    const { store, send } = createHarness({ pageRecords: 1 });
    await seed(store, 's', [1, 2]);
    const before = (await send('GET', 's')).headers.get('ETag');
    await append(store, 's', 3);
    expect((await send('GET', 's')).headers.get('ETag')).toBe(before);
  });

  it('are not given for the tail of this moment', async () => {
    const { store, send } = createHarness();
    await seed(store, 's', [1]);
    const now = await send('GET', 's', { query: 'offset=now' });
    expect(now.headers.get('ETag')).toBe(null);
    expect(now.headers.get('Cache-Control')).toBe('no-store');
  });
});

describe('Cache-Control', () => {
  it('lets caches keep what can never change, if asked to, and nothing else', async () => {
    const cacheControl = 'public, max-age=60, stale-while-revalidate=300';
    const { store, send } = createHarness({ cacheControl, pageRecords: 1 });
    await seed(store, 's', [1, 2]);
    expect((await send('GET', 's')).headers.get('Cache-Control')).toBe(cacheControl);
    expect((await send('GET', 's', { query: `offset=${formatOffset(1)}` })).headers.get('Cache-Control')).toBe(
      'private, no-cache',
    );
    expect((await send('GET', 's', { query: 'offset=-1&live=long-poll' })).headers.get('Cache-Control')).toBe(
      cacheControl,
    );
    expect((await send('HEAD', 's')).headers.get('Cache-Control')).toBe('no-store');
    expect((await send('GET', 'absent')).headers.get('Cache-Control')).toBe('no-store');
  });

  it('makes everything revalidate by default', async () => {
    const { store, send } = createHarness({ pageRecords: 1 });
    await seed(store, 's', [1, 2]);
    expect((await send('GET', 's')).headers.get('Cache-Control')).toBe('private, no-cache');
  });
});

describe('a stored page that a browser opens', () => {
  it('cannot run', async () => {
    const { send } = createHarness();
    await send('PUT', 'page', { headers: { 'Content-Type': 'text/html' }, body: '<script>alert(1)</script>' });
    const { headers } = await send('GET', 'page');
    expect(headers.get('Content-Security-Policy')).toContain('sandbox');
    expect(headers.get('Content-Disposition')).toBe('attachment');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  });
});
