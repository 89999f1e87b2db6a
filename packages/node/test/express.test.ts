/** The listener as middleware of a framework. */
import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import type { StreamHandlerOptions } from '@perennial/core/http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { afterEach, describe, expect, it } from 'vitest';

import { createStreamListener } from '../src/index.ts';
import { serve, type Served } from './support/serve.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const open: Served[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((served) => served.close()))));

async function start(mount: (app: Express, options: StreamHandlerOptions) => void): Promise<[string, StreamStore]> {
  const store = createMemoryStreamStore();
  await store.create('s/1');
  const app = express();
  mount(app, { store, basePath: '/api/streams', authorize: () => true });
  app.get('/other', (_request, response) => void response.send('other'));
  const onError: ErrorRequestHandler = (error: Error, _request, response, _next) =>
    void response.status(500).send(error.message);
  app.use(onError);
  const served = await serve(app);
  open.push(served);
  return [served.url, store];
}

describe('in Express, the listener', () => {
  it.each<[string, (app: Express, options: StreamHandlerOptions) => void]>([
    ['beside everything else', (app, options) => app.use(createStreamListener(options))],
    ['at its base path', (app, options) => app.use('/api/streams', createStreamListener(options))],
  ])('mounted %s serves its streams and leaves the rest alone', async (_where, mount) => {
    const [url] = await start(mount);
    const sent = await fetch(`${url}/api/streams/s/1`, { method: 'POST', headers: JSON_TYPE, body: '[1,2]' });
    expect(sent.status).toBe(204);
    expect(await (await fetch(`${url}/api/streams/s/1?offset=-1`)).json()).toEqual([1, 2]);
    const created = await fetch(`${url}/api/streams/s/2`, { method: 'PUT', headers: JSON_TYPE });
    expect(created.headers.get('Location')).toBe(`${url}/api/streams/s/2`);
    expect((await fetch(`${url}/api/streams/absent`)).headers.get('Perennial-Error')).toBe('NOT_FOUND');
    expect(await (await fetch(`${url}/other`)).text()).toBe('other');
    expect((await fetch(`${url}/api/streamsX`)).status).toBe(404);
    expect((await fetch(`${url}/api/streamsX`)).headers.get('Perennial-Error')).toBe(null);
  });

  it.each(['/api/streams/', 'api/streams', 'api/streams/'])('takes %s for the same base path', async (basePath) => {
    const [url] = await start((app, options) => app.use(createStreamListener({ ...options, basePath })));
    expect((await fetch(`${url}/api/streams/s/1`)).status).toBe(200);
    expect((await fetch(`${url}/api/streams?perennial-list&perennial-prefix=s`)).status).toBe(200);
    expect(await (await fetch(`${url}/other`)).text()).toBe('other');
  });

  it.each(['', '/'])('with the base path "%s" answers everything', async (basePath) => {
    const [url] = await start((app, options) => app.use(createStreamListener({ ...options, basePath })));
    expect((await fetch(`${url}/s/1`)).status).toBe(200);
    expect((await fetch(`${url}/other`)).headers.get('Perennial-Error')).toBe('NOT_FOUND');
  });

  it('says what is wrong behind a body parser, instead of waiting for ever', async () => {
    const [url, store] = await start((app, options) => {
      app.use(express.json());
      app.use(createStreamListener(options));
    });
    const sent = await fetch(`${url}/api/streams/s/1`, { method: 'POST', headers: JSON_TYPE, body: '[1,2]' });
    expect(sent.status).toBe(500);
    expect(await sent.text()).toContain('Mount the listener before body parsers.');
    const body = new Blob(['[1,2]']).stream();
    const chunked = { method: 'PUT', headers: JSON_TYPE, body, duplex: 'half' };
    expect((await fetch(`${url}/api/streams/s/2`, chunked)).status).toBe(500);
    expect((await store.head('s/1'))?.nextPosition).toBe(0);
    expect(await store.head('s/2')).toBe(null);
    expect(await (await fetch(`${url}/api/streams/s/1`)).json()).toEqual([]);
  });
});
