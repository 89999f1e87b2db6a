import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, configure, render, type RenderResult } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { onTestFinished } from 'vitest';

// A machine that is busy with other tests is no reason to fail.
configure({ asyncUtilTimeout: 10_000 });

export interface Rendered {
  readonly client: QueryClient;
  readonly result: RenderResult;
  rerender(ui: ReactNode): void;
}

/** Renders below a QueryClient; in StrictMode unless told otherwise. */
export function renderWith(
  ui: ReactNode,
  { client = new QueryClient(), strict = true }: { client?: QueryClient; strict?: boolean } = {},
): Rendered {
  const wrap = (children: ReactNode): ReactNode => {
    const tree = <QueryClientProvider client={client}>{children}</QueryClientProvider>;
    return strict ? <StrictMode>{tree}</StrictMode> : tree;
  };
  const result = render(wrap(ui));
  onTestFinished(() => {
    cleanup();
    client.clear();
  });
  return { client, result, rerender: (next) => result.rerender(wrap(next)) };
}

/** Lets everything that is ready run, inside `act`. */
export async function settle(): Promise<void> {
  await act(async () => {
    for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
  });
}

/** Animation frames that come when the test says so. */
export class ManualFrames {
  #pending: FrameRequestCallback[] = [];
  /** Frames drawn with something to do. */
  count = 0;

  readonly request = (callback: FrameRequestCallback): number => this.#pending.push(callback);

  readonly cancel = (): void => undefined;

  async draw(): Promise<void> {
    const due = this.#pending;
    this.#pending = [];
    if (due.length > 0) this.count++;
    await act(async () => {
      for (const callback of due) callback(performance.now());
    });
  }
}
