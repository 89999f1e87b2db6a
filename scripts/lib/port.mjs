/** Free ports, found by binding the way the demo's server binds: on every interface. */
import { createServer } from 'node:net';

/**
 * The first free port from `first` upwards; 0 lets the system choose.
 *
 * @param {number} first
 * @returns {Promise<number>}
 */
export async function freePort(first) {
  for (let port = first; port < Math.min(first + 100, 65_536); port++) {
    const bound = await bind(port);
    if (bound !== null) return bound;
  }
  throw new Error(`No free port from ${first} to ${first + 99}. Name one with --port.`);
}

/**
 * @param {number} port
 * @returns {Promise<number | null>} the port, or null when it is taken or not permitted
 */
export function bind(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, () => {
      const bound = server.address().port;
      server.close(() => resolve(bound));
    });
  });
}
