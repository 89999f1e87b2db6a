import { useStream, type UseStreamItemsOptions } from '@perennial/react';
import { focusManager, onlineManager, QueryClient } from '@tanstack/react-query';
import { act, screen, waitFor } from '@testing-library/react';
import { type ReactElement, useEffect, useState } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { type Backend, createBackend, URL_OF_S } from './support/backend.ts';
import { ManualFrames, renderWith, settle } from './support/render.tsx';

interface ListProps {
  readonly backend: Backend;
  readonly options?: UseStreamItemsOptions<string>;
  readonly url?: string;
  readonly testId?: string;
}

/** Shows the items and the status. Everything is written inline, as users do. */
function List({ backend, options, url = URL_OF_S, testId = 'list' }: ListProps): ReactElement {
  const { data, status, error } = useStream<string>(
    { url, fetch: backend.fetch, headers: { accept: 'x' } },
    { batch: 'none', reconnect: { baseMs: 1 }, onItems: () => undefined, ...options },
  );
  return (
    <p data-testid={testId}>
      {data.join(' ')} [{status}] {error?.code}
    </p>
  );
}

const shown = (testId = 'list'): string => screen.getByTestId(testId).textContent?.trim() ?? '';
const START = '-1';
const offset = (position: number): string => `${String(position).padStart(16, '0')}_${'0'.repeat(16)}`;

describe('one connection', () => {
  it('under StrictMode', async () => {
    const backend = await createBackend('a', 'b');
    renderWith(<List backend={backend} />);
    await settle();
    expect(shown()).toBe('a b [live]');
    await act(() => backend.write('c'));
    await settle();
    expect(shown()).toBe('a b c [live]');
    expect([backend.offsets, backend.open]).toEqual([[START], 1]);
  });

  it('whatever the identity of the options', async () => {
    const backend = await createBackend('a');
    const { rerender } = renderWith(<List backend={backend} />);
    for (let i = 0; i < 20; i++) {
      rerender(<List backend={backend} options={{ onEnd: () => i, reconnect: { maxMs: 100 + i } }} />);
      await settle();
    }
    expect([shown(), backend.offsets]).toEqual(['a [live]', [START]]);
  });

  it('for several components, until the last one is gone', async () => {
    const backend = await createBackend('a');
    const { rerender } = renderWith([
      <List key="1" backend={backend} testId="one" />,
      <List key="2" backend={backend} testId="two" />,
    ]);
    await settle();
    expect([shown('one'), shown('two'), backend.offsets]).toEqual(['a [live]', 'a [live]', [START]]);
    rerender([<List key="2" backend={backend} testId="two" />]);
    await act(() => backend.write('b'));
    await settle();
    expect([shown('two'), backend.open]).toEqual(['a b [live]', 1]);
    rerender([]);
    await waitFor(() => expect(backend.open).toBe(0));
    expect(backend.offsets).toEqual([START]);
  });

  it('is closed when unmounted, also while connecting', async () => {
    const backend = await createBackend('a');
    const { rerender } = renderWith(<List backend={backend} />);
    await settle();
    expect(backend.open).toBe(1);
    rerender(null);
    await waitFor(() => expect(backend.open).toBe(0));

    const held = await createBackend('a');
    let release: () => void = () => undefined;
    held.gate = new Promise((resolve) => (release = resolve));
    const other = renderWith(<List backend={held} testId="held" />);
    await settle();
    expect(shown('held')).toBe('[connecting]');
    other.rerender(null);
    await waitFor(() => expect(held.aborted).toBe(1));
    release();
    await settle();
    expect([held.open, held.offsets]).toEqual([0, [START]]);
  });

  it('is kept when one page gives way to another', async () => {
    const backend = await createBackend('a');
    const { rerender } = renderWith(<List key="old" backend={backend} />);
    await settle();
    rerender(<List key="new" backend={backend} />);
    expect(shown()).toBe('a [live]');
    await settle();
    expect(backend.offsets).toEqual([START]);
  });

  it('changes with the stream, whose data is never mixed with the other one’s', async () => {
    const backend = await createBackend('a');
    await backend.store.create('t', { records: [{ data: '"x"' }] });
    const { rerender } = renderWith(<List backend={backend} />);
    await settle();
    rerender(<List backend={backend} url="http://test.invalid/t" />);
    expect(shown()).toBe('[connecting]');
    await settle();
    expect(shown()).toBe('x [live]');
    await waitFor(() => expect(backend.open).toBe(1));
    rerender(<List backend={backend} />);
    expect(shown()).toMatch(/^a /);
    await settle();
    expect(backend.offsets).toEqual([START, START, offset(1)]);
  });
});

describe('a resume, never a wipe or a duplicate', () => {
  it('on refocus, reconnect and refetch', async () => {
    const backend = await createBackend('a');
    const { client } = renderWith(<List backend={backend} />);
    await settle();
    for (let i = 0; i < 3; i++) {
      act(() => {
        focusManager.setFocused(false);
        onlineManager.setOnline(false);
      });
      act(() => {
        focusManager.setFocused(true);
        onlineManager.setOnline(true);
      });
      await act(() => client.invalidateQueries());
      await act(() => client.refetchQueries());
      await act(() => backend.write(`${i}`));
      await settle();
    }
    focusManager.setFocused(undefined);
    expect([shown(), backend.offsets]).toEqual(['a 0 1 2 [live]', [START]]);
  });

  it('on a remount long after', async () => {
    const backend = await createBackend('a', 'b');
    const { rerender } = renderWith(<List backend={backend} />);
    await settle();
    rerender(null);
    await waitFor(() => expect(backend.open).toBe(0));
    await backend.write('c');
    rerender(<List backend={backend} />);
    expect(shown()).toBe('a b [connecting]');
    await settle();
    expect([shown(), backend.offsets]).toEqual(['a b c [live]', [START, offset(2)]]);
  });

  it('after the connection was lost, which shows while it lasts', async () => {
    const backend = await createBackend('a');
    renderWith(<List backend={backend} />);
    await settle();
    backend.outage = 'offline';
    await act(async () => backend.drop());
    await waitFor(() => expect(shown()).toBe('a [reconnecting]'));
    await backend.write('b');
    backend.outage = 503;
    await settle();
    backend.outage = null;
    await waitFor(() => expect(shown()).toBe('a b [live]'));
    expect(backend.offsets.slice(1).every((asked) => asked === offset(1))).toBe(true);
  });

  it('of a stream that has ended needs no connection', async () => {
    const backend = await createBackend('a');
    await backend.end();
    const { client, rerender } = renderWith(<List backend={backend} />);
    await waitFor(() => expect(shown()).toBe('a [closed]'));
    rerender(null);
    await waitFor(() => expect(client.getQueryCache().getAll()[0]?.getObserversCount()).toBe(0));
    rerender(<List backend={backend} />);
    expect(shown()).toBe('a [closed]');
    await settle();
    expect(backend.offsets).toEqual([START]);
  });

  it('starts over, without a wipe, when its entry is reset', async () => {
    const backend = await createBackend('a');
    const { client } = renderWith(<List backend={backend} />);
    await settle();
    let release: () => void = () => undefined;
    backend.gate = new Promise((resolve) => (release = resolve));
    await act(() => client.resetQueries());
    await waitFor(() => expect(shown()).toBe('a [connecting]'));
    release();
    await waitFor(() => expect(shown()).toBe('a [live]'));
    expect(backend.offsets).toEqual([START, START]);
  });

  it('starts anew once the cache has forgotten', async () => {
    const backend = await createBackend('a');
    const client = new QueryClient({ defaultOptions: { queries: { gcTime: 10 } } });
    const { rerender } = renderWith(<List backend={backend} />, { client });
    await settle();
    expect(client.getQueryCache().getAll()).toHaveLength(1);
    rerender(null);
    await waitFor(() => expect(client.getQueryCache().getAll()).toHaveLength(0));
    rerender(<List backend={backend} />);
    expect(shown()).toBe('[connecting]');
    await settle();
    expect(backend.offsets).toEqual([START, START]);
  });

  it('does not bring back what was removed from the cache', async () => {
    const backend = await createBackend('secret');
    const { client, rerender } = renderWith(<List backend={backend} />);
    await settle();
    client.clear();
    await act(() => backend.write('more'));
    await settle();
    rerender(null);
    await waitFor(() => expect(backend.open).toBe(0));
    expect(client.getQueryCache().getAll()).toEqual([]);
  });

  it('ignores a cache entry that is none of its own', async () => {
    const backend = await createBackend('a');
    const client = new QueryClient();
    client.setQueryData(['mine'], { data: 'rubbish' });
    renderWith(<List backend={backend} options={{ queryKey: ['mine'] }} />, { client });
    await settle();
    expect(shown()).toBe('a [live]');
    expect(client.getQueryData(['mine'])).toMatchObject({ data: ['a'], position: 1, end: null });
    client.setQueryData(['text'], { data: 'reduced', position: 1, count: 1, end: null, start: 0, incarnation: null });
    renderWith(<List backend={backend} options={{ queryKey: ['text'] }} testId="text" />, { client });
    await settle();
    expect(shown('text')).toBe('a [live]');
  });
});

describe('renders', () => {
  it('at most once per frame, for any number of records', async () => {
    const frames = new ManualFrames();
    vi.stubGlobal('requestAnimationFrame', frames.request);
    vi.stubGlobal('cancelAnimationFrame', frames.cancel);
    const backend = await createBackend();
    let renders = 0;
    function Counting(): ReactElement {
      const { data, status, position } = useStream<string, string>(
        { url: URL_OF_S, fetch: backend.fetch },
        { reduce: (text, token) => text + token, initial: '' },
      );
      useEffect(() => void renders++);
      return (
        <p data-testid="list">
          {data.length} {position} [{status}]
        </p>
      );
    }
    renderWith(<Counting />, { strict: false });
    for (let i = 0; i < 5_000; i++) {
      await backend.write('x');
      if (i % 50 === 0) await settle();
      if (i % 500 === 0) await frames.draw();
    }
    await backend.end();
    await settle();
    await frames.draw();
    expect(shown()).toBe('5000 5000 [closed]');
    expect(frames.count).toBeGreaterThan(5);
    expect(renders).toBeLessThanOrEqual(frames.count + 2);
  });

  it('only for fields that are used', async () => {
    const backend = await createBackend();
    let renders = 0;
    function StatusOnly(): ReactElement {
      const stream = useStream<string>({ url: URL_OF_S, fetch: backend.fetch }, { batch: 'none' });
      useEffect(() => void renders++);
      return <p data-testid="list">[{stream.status}]</p>;
    }
    renderWith(<StatusOnly />, { strict: false });
    await settle();
    const before = renders;
    for (let i = 0; i < 20; i++) {
      await act(() => backend.write(`${i}`));
      await settle();
    }
    expect([shown(), renders]).toEqual(['[live]', before]);
  });

  it('only when what is selected has changed, compared by structure', async () => {
    const backend = await createBackend();
    const seen: unknown[] = [];
    function Selecting(): ReactElement {
      const { data } = useStream<number, { even: number[] }>(
        { url: URL_OF_S, fetch: backend.fetch },
        { batch: 'none', select: (items) => ({ even: items.filter((n) => n % 2 === 0) }) },
      );
      useEffect(() => void seen.push(data));
      return <p data-testid="list">{data.even.join(' ')}</p>;
    }
    const { rerender } = renderWith(<Selecting />, { strict: false });
    for (let i = 0; i < 6; i++) {
      await act(() => backend.write(i));
      await settle();
    }
    expect(shown()).toBe('0 2 4');
    const renders = seen.length;
    expect(renders).toBeLessThanOrEqual(4);
    rerender(<Selecting />);
    expect(seen.at(-1)).toBe(seen.at(-2));
  });

  it('with a field that is used only later', async () => {
    const backend = await createBackend('a');
    function Later(): ReactElement {
      const [more, setMore] = useState(false);
      const stream = useStream<string>({ url: URL_OF_S, fetch: backend.fetch }, { batch: 'none' });
      return (
        <button data-testid="list" onClick={() => setMore(true)}>
          [{stream.status}] {more && stream.count}
        </button>
      );
    }
    renderWith(<Later />);
    await settle();
    await act(() => backend.write('b', 'c'));
    await settle();
    act(() => screen.getByTestId('list').click());
    expect(shown()).toBe('[live] 3');
    await act(() => backend.write('d'));
    await settle();
    expect(shown()).toBe('[live] 4');
  });
});
