import { useStream, type UseStreamReduceOptions, type UseStreamResult } from '@perennial/react';
import { act, screen, waitFor } from '@testing-library/react';
import { Component, type ReactElement, type ReactNode } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { type Backend, createBackend, URL_OF_S } from './support/backend.ts';
import { renderWith, settle } from './support/render.tsx';

type Options = Omit<UseStreamReduceOptions<string, string>, 'reduce' | 'initial'>;

/** Hands the result out to the test. */
function Text({
  backend,
  options,
  onResult,
}: {
  backend: Backend;
  options?: Options;
  onResult?: (result: UseStreamResult<string>) => void;
}): ReactElement {
  const stream = useStream<string, string>(
    { url: URL_OF_S, fetch: backend.fetch },
    { batch: 'none', reduce: (text, token) => text + token, initial: '', reconnect: { baseMs: 1 }, ...options },
  );
  onResult?.(stream);
  return (
    <p data-testid="text">
      {stream.data} [{stream.status}] {stream.end?.outcome} {stream.end?.reason} {stream.error?.message}
    </p>
  );
}

const shown = (): string => screen.getByTestId('text').textContent?.trim() ?? '';

describe('what a component can do', () => {
  it('disconnects without telling the producer, and goes on', async () => {
    const backend = await createBackend('a');
    let stream: UseStreamResult<string> | undefined;
    const { client } = renderWith(<Text backend={backend} onResult={(result) => (stream = result)} />);
    await settle();
    act(() => stream?.disconnect());
    await settle();
    expect([shown(), backend.open, (await backend.store.head('s'))?.cancel]).toEqual(['a [paused]', 0, null]);
    await act(() => client.invalidateQueries());
    expect(shown()).toBe('a [paused]');
    await backend.write('b');
    act(() => stream?.reconnect());
    await settle();
    expect(shown()).toBe('ab [live]');
  });

  it('cancels for everybody, and shows how the stream ended', async () => {
    const backend = await createBackend('a');
    let stream: UseStreamResult<string> | undefined;
    renderWith(<Text backend={backend} onResult={(result) => (stream = result)} />);
    await settle();
    let result: unknown;
    await act(async () => {
      result = await stream?.cancel('enough');
    });
    expect(result).toEqual({ ok: true, value: undefined });
    await settle();
    expect(stream?.cancelRequested).toBe(true);
    expect((await backend.store.head('s'))?.cancel?.reason).toBe('enough');
    await act(() => backend.end({ outcome: 'cancelled', reason: 'enough' }));
    await settle();
    expect(shown()).toBe('a [closed] cancelled enough');
  });

  it('is told why a cancel request failed, also without a connection', async () => {
    const backend = await createBackend('a');
    let stream: UseStreamResult<string> | undefined;
    renderWith(<Text backend={backend} options={{ enabled: false }} onResult={(result) => (stream = result)} />);
    backend.outage = 'offline';
    expect(await stream?.cancel()).toMatchObject({ ok: false, error: { code: 'STORE_ERROR' } });
    backend.outage = null;
    expect(await stream?.cancel()).toMatchObject({ ok: true });
    expect(backend.others).toEqual(['POST /s', 'POST /s']);
  });

  it('keeps its functions over renders', async () => {
    const backend = await createBackend('a');
    const results: UseStreamResult<string>[] = [];
    const { rerender } = renderWith(<Text backend={backend} onResult={(result) => results.push(result)} />);
    await settle();
    rerender(<Text backend={backend} onResult={(result) => results.push(result)} />);
    const [first] = results;
    for (const name of ['disconnect', 'reconnect', 'cancel'] as const)
      expect(results.at(-1)?.[name]).toBe(first?.[name]);
  });
});

describe('states', () => {
  it('shows a refusal as an error, keeps the data, and tries again when told', async () => {
    const backend = await createBackend('a');
    let stream: UseStreamResult<string> | undefined;
    const onError = vi.fn<(error: unknown) => void>();
    renderWith(<Text backend={backend} options={{ onError }} onResult={(result) => (stream = result)} />);
    await settle();
    backend.outage = 403;
    await act(async () => backend.drop());
    await waitFor(() => expect(shown()).toContain('a [error]'));
    expect(stream?.error?.code).toBe('FORBIDDEN');
    expect(onError).toHaveBeenCalledTimes(1);
    backend.outage = null;
    act(() => stream?.reconnect());
    await settle();
    expect(shown()).toBe('a [live]');
  });

  it('shows a failed end as an end, not as an error', async () => {
    const backend = await createBackend('a');
    await backend.end({ outcome: 'failed', error: { code: 'PRODUCER_LOST', message: 'gone', public: true } });
    const ends: unknown[] = [];
    let stream: UseStreamResult<string> | undefined;
    renderWith(
      <Text
        backend={backend}
        options={{ onEnd: (end) => ends.push(end.outcome) }}
        onResult={(result) => (stream = result)}
      />,
    );
    await waitFor(() => expect(shown()).toBe('a [closed] failed'));
    expect([stream?.error, stream?.end?.error?.code, ends]).toEqual([null, 'PRODUCER_LOST', ['failed']]);
  });

  it('takes retracted values back', async () => {
    const backend = await createBackend();
    await backend.append({ data: '"keep "' }, { data: '"draft"', step: 's', attempt: 1 });
    renderWith(<Text backend={backend} />);
    await settle();
    expect(shown()).toBe('keep draft [live]');
    await act(() =>
      backend.append({ kind: 'supersede', step: 's', belowAttempt: 2 }, { data: '"final"', step: 's', attempt: 2 }),
    );
    await settle();
    expect(shown()).toBe('keep final [live]');
  });

  it('names a value that does not fit the schema', async () => {
    const backend = await createBackend('a', 7);
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'string' ? { value } : { issues: [{ message: 'not a string' }] },
      },
    } as const;
    renderWith(<Text backend={backend} options={{ schema }} />);
    await waitFor(() => expect(shown()).toContain('a [error]'));
    expect(shown()).toContain('position 1 does not fit the schema: not a string');
  });

  it('waits for a stream that is about to be created', async () => {
    const backend = await createBackend();
    await backend.store.delete('s');
    renderWith(<Text backend={backend} options={{ waitForCreateMs: 5_000 }} />);
    await settle();
    expect(shown()).toBe('[connecting]');
    await backend.store.create('s', { records: [{ data: '"here"' }] });
    await waitFor(() => expect(shown()).toBe('here [live]'));
  });

  it('reads nothing while it is not enabled, and shows what there is', async () => {
    const backend = await createBackend('a');
    const { rerender } = renderWith(<Text backend={backend} options={{ enabled: false }} />);
    await settle();
    expect([shown(), backend.offsets]).toEqual(['[idle]', []]);
    rerender(<Text backend={backend} options={{ enabled: true }} />);
    await settle();
    expect(shown()).toBe('a [live]');
    rerender(<Text backend={backend} options={{ enabled: false }} />);
    expect(shown()).toBe('a [idle]');
    await waitFor(() => expect(backend.open).toBe(0));
    rerender(<Text backend={backend} options={{ enabled: false }} />);
    expect(shown()).toBe('a [idle]');
  });

  it('tells each component of new values, with the function of its latest render', async () => {
    const backend = await createBackend('a');
    const told: string[] = [];
    const listen = (name: string) => ({
      onItems: (items: readonly string[]) => told.push(`${name} ${items.join('')}`),
    });
    const { rerender } = renderWith(<Text backend={backend} options={listen('first')} />);
    await settle();
    rerender(<Text backend={backend} options={listen('second')} />);
    await act(() => backend.write('b'));
    await settle();
    expect(told).toEqual(['first a', 'second b']);
  });

  it('keeps uses of one stream apart that have different keys', async () => {
    const backend = await createBackend('a', 'b');
    function Count(): ReactElement {
      const { data } = useStream<string, number>(
        { url: URL_OF_S, fetch: backend.fetch },
        { queryKey: ['count'], batch: 'none', reduce: (n) => n + 1, initial: 0 },
      );
      return <b data-testid="count">{data}</b>;
    }
    renderWith([<Text key="text" backend={backend} />, <Count key="count" />]);
    await settle();
    expect([shown(), screen.getByTestId('count').textContent]).toEqual(['ab [live]', '2']);
  });

  it('reads a store of the same process', async () => {
    const backend = await createBackend('a');
    function Local(): ReactElement {
      const { data, status } = useStream<string>({ store: backend.store, streamId: 's' }, { batch: 'none' });
      return (
        <p data-testid="text">
          {data} [{status}]
        </p>
      );
    }
    renderWith(<Local />);
    await settle();
    await act(() => backend.write('b'));
    await settle();
    expect(shown()).toBe('ab [live]');
  });
});

class Boundary extends Component<{ children: ReactNode; onError: (error: unknown) => void }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    this.props.onError(error);
  }

  override render(): ReactNode {
    return this.state.failed ? null : this.props.children;
  }
}

it.each([
  ['source', '', {}],
  ['source', undefined, {}],
  ['batch', URL_OF_S, { batch: 'never' as 'none' }],
  ['maxItems', URL_OF_S, { maxItems: -1 }],
  ['silenceMs', URL_OF_S, { silenceMs: 0 }],
])('names a bad %s', async (argument, source, options) => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const errors: unknown[] = [];
  function Bad(): ReactElement {
    useStream(source as string, options);
    return <i />;
  }
  renderWith(
    <Boundary onError={(error) => errors.push(error)}>
      <Bad />
    </Boundary>,
  );
  await settle();
  expect(errors[0]).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
});
