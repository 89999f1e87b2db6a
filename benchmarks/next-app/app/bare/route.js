/** The least that a route handler can do for a live reader: a stream that is enqueued to. */
import { appState } from '../../app-state.js';

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };

export function GET(request) {
  const { readers } = appState();
  let own;
  const body = new ReadableStream({
    start(controller) {
      own = controller;
      controller.enqueue(Buffer.from('event: control\ndata:{}\n\n'));
      readers.add(controller);
    },
    cancel: () => readers.delete(own),
  });
  request.signal.addEventListener('abort', () => readers.delete(own));
  return new Response(body, { headers: HEADERS });
}
