/**
 * Child process: opens SSE connections over plain sockets and reports when each has seen a marker. A process of its own, so that the
 * clients' CPU time is not the server's.
 */
import { connect } from 'node:net';

process.on('message', ({ port, path, count, marker }) => {
  const wanted = Buffer.from(marker);
  let open = 0;
  let finished = 0;
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1');
    let tail = Buffer.alloc(0);
    let started = false;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n`);
    socket.on('data', (chunk) => {
      if (!started) {
        started = true;
        if (++open === count) process.send({ type: 'open' });
      }
      const seen = Buffer.concat([tail, chunk]);
      if (seen.includes(wanted)) {
        if (++finished === count) {
          for (const each of sockets) each.destroy();
          process.send({ type: 'done' });
        }
        tail = Buffer.alloc(0);
        return;
      }
      tail = seen.subarray(Math.max(0, seen.length - wanted.length));
    });
    return socket;
  });
});
