import { once } from 'node:events';

/** Starts a server on a free port of the loopback interface; returns it and its base URL. */
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}
