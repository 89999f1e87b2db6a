/** The least a Node server can do to mount a web handler: what every adapter costs is part of what is measured. */
import { createServer } from 'node:http';

/** Serves a web handler on a free port of the loopback interface; returns the server and its base URL. */
export async function serveWeb(handler) {
  const server = createServer(async (message, out) => {
    const gone = new AbortController();
    out.once('close', () => out.writableFinished || gone.abort());
    const request = new Request(`http://${message.headers.host}${message.url}`, {
      method: message.method,
      headers: message.headers,
      signal: gone.signal,
    });
    const response = await handler(request);
    out.writeHead(response.status, [...response.headers].flat());
    if (!response.body) return out.end();
    const reader = response.body.getReader();
    let goOn = () => {};
    out.on('drain', () => goOn());
    out.once('close', () => {
      goOn();
      reader.cancel().catch(() => {});
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return out.end();
      if (!out.write(value)) await new Promise((resolve) => (goOn = resolve));
    }
  });
  return listen(server);
}

/** Starts a server on a free port of the loopback interface. */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}
