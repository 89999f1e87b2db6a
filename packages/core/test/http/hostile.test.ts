/**
 * What a URL names. Bad requests are in the table of `@perennial/testing`, which runs against the handler on every store; core cannot import
 * it.
 */
import { normaliseBasePath } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import { createHarness, seed } from './support/harness.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('odd ids', () => {
  it.each([
    'a b',
    'ä/ö',
    'a%2Fb',
    '%',
    '..',
    '.',
    '../x',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    '__ds',
    '__ds/x',
    '__proto__',
    'a\\b',
    'a\0b',
    'a\nb',
    '😀',
    '?#&=',
    'x'.repeat(2_048),
    'CON',
    'a'.repeat(300) + '/b',
  ])('%j are ids like any other', async (id) => {
    const { send, store } = createHarness();
    expect((await send('PUT', id, { headers: JSON_TYPE, body: '[1]' })).status).toBe(201);
    expect((await store.list()).streams.map((head) => head.id)).toEqual([id]);
    expect(await (await send('GET', id)).json()).toEqual([1]);
    expect((await send('POST', id, { headers: JSON_TYPE, body: '2' })).status).toBe(204);
    expect((await send('HEAD', id)).headers.get('Perennial-Position')).toBe('2');
    expect((await send('DELETE', id)).status).toBe(204);
  });

  it('are decoded once and only once', async () => {
    const { handler, store } = createHarness();
    await seed(store, 'a/b', ['slash']);
    await seed(store, 'a%2Fb', ['percent']);
    const read = async (path: string): Promise<unknown> =>
      (await handler(new Request(`http://streams.test${path}`))).json();
    expect(await read('/a/b')).toEqual(['slash']);
    expect(await read('/a%2Fb')).toEqual(['slash']);
    expect(await read('/a%252Fb')).toEqual(['percent']);
  });
});

describe('the base path', () => {
  it.each(['/api/streams', '/api/streams/', 'api/streams'])('%s', async (basePath) => {
    const { handler, store } = createHarness({ basePath });
    await seed(store, 'a/b', [1]);
    const status = async (path: string): Promise<number> =>
      (await handler(new Request(`http://streams.test${path}`))).status;
    expect(await status('/api/streams/a/b')).toBe(200);
    expect(await status('/api/streams?perennial-list')).toBe(200);
    expect(await status('/api/streams/?perennial-stream=a%2Fb')).toBe(200);
    expect(await status('/api/streamsX/a/b')).toBe(404);
    expect(await status('/a/b')).toBe(404);
    expect(await status('/api/streams/../a/b')).toBe(404);
  });

  it.each([
    ['/api/streams', '/api/streams'],
    ['/api/streams/', '/api/streams'],
    ['api/streams', '/api/streams'],
    ['/', ''],
    ['', ''],
  ])('%j is %j to adapters as well', (basePath, path) => {
    expect(normaliseBasePath(basePath)).toBe(path);
  });
});
