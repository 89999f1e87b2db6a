import { InvalidArgumentError, quote } from '../log/errors.ts';
import type { StreamEndpoint } from './client-request.ts';
import type { ConnectionHandlers, ConnectionOptions, StreamConnection } from './connection-options.ts';
import { openConnection } from './managed-connection.ts';
import { attemptPoll } from './poll-attempt.ts';
import { attemptSse } from './sse-attempt.ts';

/**
 * Connects to a stream over HTTP and keeps at it: whatever breaks, it resumes after the last record received. Only the stream's typed end
 * ends it.
 *
 * @throws {@link InvalidArgumentError} naming an option that makes no sense.
 * @example
 * const connection = connectStream({ url: '/api/streams/chats/42', onRecords: (records) => console.log(records) });
 */
export function connectStream(options: StreamEndpoint & ConnectionOptions & ConnectionHandlers): StreamConnection {
  if (typeof options.url !== 'string' || options.url === '')
    throw new InvalidArgumentError('url', `\`url\` must be the URL of a stream; got ${quote(options.url)}.`);
  return openConnection(
    {
      name: options.url,
      attempt: (context, transport) =>
        transport === 'sse' ? attemptSse(options, context) : attemptPoll(options, context),
    },
    options,
  );
}
