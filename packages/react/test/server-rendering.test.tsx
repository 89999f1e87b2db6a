import { streamQueryKey, useStream } from '@perennial/react';
import { dehydrate, hydrate, HydrationBoundary, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen, waitFor } from '@testing-library/react';
import type { ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { type Backend, createBackend, URL_OF_S } from './support/backend.ts';
import { settle } from './support/render.tsx';

function Text({ backend, from }: { backend: Backend; from?: number }): ReactElement {
  const { data, status } = useStream<string, string>(
    { url: URL_OF_S, fetch: backend.fetch },
    {
      batch: 'none',
      reduce: (text, token) => text + token,
      initial: from === undefined ? '' : 'ab',
      ...(from !== undefined && { from }),
    },
  );
  return <p data-testid="text">{`${data} [${status}]`}</p>;
}

const app = (client: QueryClient, ui: ReactElement): ReactElement => (
  <QueryClientProvider client={client}>{ui}</QueryClientProvider>
);
const shown = (): string => screen.getByTestId('text').textContent ?? '';

/** Server HTML in a container, hydrated. */
function hydrateApp(html: string, ui: ReactElement): void {
  const container = document.createElement('div');
  document.body.append(container);
  container.innerHTML = html;
  const { unmount } = render(ui, { container, hydrate: true });
  onTestFinished(() => {
    unmount();
    container.remove();
  });
}

describe('on a server', () => {
  it('renders without connecting, and without a window', async () => {
    const backend = await createBackend('a');
    vi.stubGlobal('window', undefined);
    vi.stubGlobal('document', undefined);
    const html = renderToString(app(new QueryClient(), <Text backend={backend} />));
    vi.unstubAllGlobals();
    await settle();
    expect(html).toContain(' [connecting]');
    expect([backend.offsets, backend.others]).toEqual([[], []]);
  });

  it('renders what the cache holds, from which the browser goes on', async () => {
    const backend = await createBackend('a', 'b', 'c');
    const errors = vi.spyOn(console, 'error');
    const serverClient = new QueryClient();
    const key = streamQueryKey(URL_OF_S, { reduce: () => '' });
    serverClient.setQueryData(key, { data: 'ab', position: 2, count: 2, end: null, start: 0, incarnation: null });
    const html = renderToString(app(serverClient, <Text backend={backend} />));
    expect(html).toContain('ab [connecting]');
    const state = JSON.parse(JSON.stringify(dehydrate(serverClient))) as ReturnType<typeof dehydrate>;
    const client = new QueryClient();
    hydrateApp(
      html,
      app(
        client,
        <HydrationBoundary state={state}>
          <Text backend={backend} />
        </HydrationBoundary>,
      ),
    );
    expect(shown()).toBe('ab [connecting]');
    await settle();
    expect([shown(), backend.offsets]).toEqual(['abc [live]', ['0000000000000002_0000000000000000']]);
    expect(errors).not.toHaveBeenCalled();
  });

  it('renders a snapshot given as `initial` and `from`', async () => {
    const backend = await createBackend('a', 'b', 'c');
    const ui = <Text backend={backend} from={2} />;
    const html = renderToString(app(new QueryClient(), ui));
    expect(html).toContain('ab [connecting]');
    hydrateApp(html, app(new QueryClient(), ui));
    await settle();
    expect([shown(), backend.offsets]).toEqual(['abc [live]', ['0000000000000002_0000000000000000']]);
  });
});

it('is not turned back by data that is hydrated later', async () => {
  const backend = await createBackend('a', 'b', 'c');
  const client = new QueryClient();
  const { unmount } = render(app(client, <Text backend={backend} />));
  onTestFinished(unmount);
  await settle();
  const old = new QueryClient();
  const key = streamQueryKey(URL_OF_S, { reduce: () => '' });
  old.setQueryData(
    key,
    { data: 'a', position: 1, count: 1, end: null, start: 0, incarnation: null },
    { updatedAt: Date.now() + 1_000 },
  );
  act(() => hydrate(client, dehydrate(old)));
  await settle();
  await waitFor(() => expect(client.getQueryData(key)).toMatchObject({ data: 'abc', position: 3 }));
  expect([shown(), backend.offsets]).toEqual(['abc [live]', ['-1']]);
});
