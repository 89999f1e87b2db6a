import { InvalidArgumentError, quote, type StreamError, toStoreError } from '../log/errors.ts';
import { type AsyncResult, err, ok } from '../result.ts';
import { cancelStream } from './cancel-stream.ts';
import { platformFetch, type StreamEndpoint } from './client-request.ts';
import { connectStore, type StoreTarget } from './connect-store.ts';
import { connectStream } from './connect-stream.ts';
import type { ConnectionHandlers, ConnectionOptions, StreamConnection } from './connection-options.ts';

/** Where a stream is: its URL, its URL with how to ask for it, or a store in this process. */
export type StreamSource = string | StreamEndpoint | StoreTarget;

/** What names the stream: two sources of one name lead to the same stream. Stores count by identity, beside this. */
export function sourceName(source: StreamSource): string {
  if (typeof source === 'string') return source;
  return 'store' in source ? source.streamId : source.url;
}

/** @throws {@link InvalidArgumentError} unless `source` leads to a stream. */
export function assertSource(source: StreamSource): void {
  const valid =
    typeof source === 'string' ||
    (typeof source === 'object' &&
      source !== null &&
      ('store' in source ? typeof source.streamId === 'string' : typeof source.url === 'string'));
  if (!valid || sourceName(source) === '') {
    throw new InvalidArgumentError(
      'source',
      `A source is the URL of a stream, { url, … } or { store, streamId }; got ${quote(source)}.`,
    );
  }
}

/**
 * Connects to a source. Its headers and `fetch` are looked up anew for each request, so a source of the same name may take its place.
 *
 * @param current Supplies the source as it is now.
 */
export function connectSource(
  current: () => StreamSource,
  options: ConnectionOptions & ConnectionHandlers,
): StreamConnection {
  const source = current();
  if (typeof source === 'object' && 'store' in source) return connectStore({ ...source, ...options });
  return connectStream({ ...options, ...currentEndpoint(current) });
}

/** Asks the producer of a source's stream to stop. */
export async function cancelSource(
  current: () => StreamSource,
  reason: string | undefined,
): AsyncResult<void, StreamError> {
  const source = current();
  if (typeof source === 'string' || !('store' in source))
    return cancelStream({ ...currentEndpoint(current), ...(reason !== undefined && { reason }) });
  try {
    await source.store.mark(source.streamId, { type: 'cancel', ...(reason !== undefined && { reason }) });
    return ok();
  } catch (error) {
    return err(toStoreError(error, `cancelling stream ${source.streamId}`));
  }
}

function currentEndpoint(current: () => StreamSource): StreamEndpoint {
  const endpoint = (): StreamEndpoint => {
    const source = current();
    if (typeof source === 'string') return { url: source };
    return 'url' in source ? source : { url: source.streamId };
  };
  const { url, credentials } = endpoint();
  return {
    url,
    ...(credentials && { credentials }),
    headers: () => {
      const { headers } = endpoint();
      return (typeof headers === 'function' ? headers() : headers) ?? {};
    },
    fetch: (target, init) => (endpoint().fetch ?? platformFetch)(target, init),
  };
}
