/**
 * A client that costs less than the servers it asks: with `node:http` for a client, a server spends as long as it works on waking up for the
 * next request, and every server looks alike.
 */
import { Pool } from 'undici';

const HEADERS = { 'content-type': 'application/json' };

/**
 * Creates a client with up to `connections` of them to each server. `send` resolves with the headers and the length of the body.
 *
 * @param {number} connections
 */
export function createHttpClient(connections) {
  const pools = new Map();
  const poolOf = (origin) => {
    if (!pools.has(origin)) pools.set(origin, new Pool(origin, { connections }));
    return pools.get(origin);
  };
  return {
    send(method, url, body) {
      const { origin, path } = split(url);
      return new Promise((resolve, reject) => {
        poolOf(origin).dispatch(
          { method, path, body, headers: HEADERS },
          new Answer(`${method} ${url}`, resolve, reject),
        );
      });
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

/** Without a parser: the client has to stay cheap. */
function split(url) {
  const slash = url.indexOf('/', 'http://'.length);
  return { origin: url.slice(0, slash), path: url.slice(slash) };
}

/** Collects an answer as the dispatcher hands it on. */
class Answer {
  #what;
  #resolve;
  #reject;
  #status = 0;
  #headers = {};
  #bytes = 0;

  constructor(what, resolve, reject) {
    this.#what = what;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart() {}

  onResponseStart(_controller, status, headers) {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller, chunk) {
    this.#bytes += chunk.byteLength;
  }

  onResponseEnd() {
    if (this.#status >= 300) this.#reject(new Error(`${this.#what}: ${this.#status}`));
    else this.#resolve({ headers: this.#headers, bytes: this.#bytes });
  }

  onResponseError(_controller, error) {
    this.#reject(error);
  }
}
