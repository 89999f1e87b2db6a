import type { StreamStore } from '@perennial/core';
import type { FetchLike } from '@perennial/core/client';
import { createStreamHandler, type StreamHandlerOptions } from '@perennial/core/http';

/** A `fetch` that asks a handler in this process. */
export function handlerFetch(store: StreamStore, options: Partial<StreamHandlerOptions> = {}): FetchLike {
  const handler = createStreamHandler({ store, allowAnonymous: true, heartbeatMs: 50, ...options });
  return (url, init) => handler(new Request(new URL(url, 'http://test.invalid'), init));
}
