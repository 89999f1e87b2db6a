import { DurableStream, IdempotentProducer, stream } from '@durable-streams/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ServedStreams } from './describe-published-suite.ts';

/**
 * Registers tests of the client that is published for the protocol, `@durable-streams/client`, with vitest: streams, long-poll, SSE, and
 * the idempotent producer, over a real socket.
 *
 * @param start Starts the server; called once.
 */
export function describePublishedClient(name: string, start: () => Promise<ServedStreams>): void {
  describe(`the published client with ${name}`, () => {
    let served: ServedStreams | undefined;
    beforeAll(async () => {
      served = await start();
    }, 60_000);
    afterAll(() => served?.close(), 60_000);

    const freshUrl = (): string => `${served?.url}/v1/stream/client/${crypto.randomUUID()}`;

    async function produce(url: string, values: readonly unknown[]): Promise<DurableStream> {
      const target = await DurableStream.create({ url, contentType: 'application/json', warnOnHttp: false });
      const failures: unknown[] = [];
      const producer = new IdempotentProducer(target, 'producer', { onError: (error) => failures.push(error) });
      for (const value of values) producer.append(JSON.stringify(value));
      await producer.flush();
      expect(failures).toEqual([]);
      return target;
    }

    describe.each(['long-poll', 'sse'] as const)('live by %s', (live) => {
      it('reads what is there, then what comes, up to the end', async () => {
        const url = freshUrl();
        const target = await produce(
          url,
          Array.from({ length: 500 }, (_, n) => ({ n })),
        );
        const response = await stream<{ n: number }>({ url, offset: '-1', live, warnOnHttp: false });
        const read: number[] = [];
        const finished = new Promise<void>((resolve) => {
          response.subscribeJson(async ({ items, streamClosed }) => {
            read.push(...items.map(({ n }) => n));
            if (streamClosed) resolve();
          });
        });
        await target.append(JSON.stringify({ n: 500 }));
        await target.close();
        await finished;
        expect(read).toEqual(Array.from({ length: 501 }, (_, n) => n));
      });

      it('reads text, with characters that were cut between appends', async () => {
        const url = freshUrl();
        const target = await DurableStream.create({ url, contentType: 'text/plain; charset=utf-8', warnOnHttp: false });
        const bytes = new TextEncoder().encode('Grüße 👋 aus 東京\n');
        const response = await stream({ url, offset: '-1', live, warnOnHttp: false });
        const finished = (async () => {
          let text = '';
          const reader = response.textStream().getReader();
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return text;
            text += value;
          }
        })();
        for (const byte of bytes) await target.append(Uint8Array.of(byte));
        await target.close();
        expect(await finished).toBe('Grüße 👋 aus 東京\n');
      });

      it('reads a fork, inherited and own', async () => {
        const url = freshUrl();
        await produce(url, ['a', 'b']);
        const forkUrl = freshUrl();
        const made = await fetch(forkUrl, {
          method: 'PUT',
          headers: { 'Stream-Forked-From': new URL(url).pathname },
        });
        expect(made.status).toBe(201);
        const fork = await DurableStream.connect({ url: forkUrl, warnOnHttp: false });
        await fork.append(JSON.stringify('c'));
        await fork.close();
        const response = await stream<string>({ url: forkUrl, offset: '-1', live, warnOnHttp: false });
        expect(await response.json()).toEqual(['a', 'b', 'c']);
      });
    });

    it('resumes at an offset', async () => {
      const url = freshUrl();
      await produce(url, ['a', 'b']);
      const first = await stream<string>({ url, offset: '-1', live: false, warnOnHttp: false });
      expect(await first.json()).toEqual(['a', 'b']);
      const target = await DurableStream.connect({ url, warnOnHttp: false });
      await target.append(JSON.stringify('c'));
      const second = await stream<string>({ url, offset: first.offset, live: false, warnOnHttp: false });
      expect(await second.json()).toEqual(['c']);
    });

    it('a producer whose requests arrive twice stores each value once', async () => {
      const url = freshUrl();
      const target = await DurableStream.create({ url, contentType: 'application/json', warnOnHttp: false });
      let requests = 0;
      const twice: typeof fetch = async (...args) => {
        requests++;
        // As when the first answer was lost and the request is sent again.
        await (await fetch(...args)).arrayBuffer();
        return fetch(...args);
      };
      const failures: unknown[] = [];
      const producer = new IdempotentProducer(target, 'p', {
        fetch: twice,
        maxBatchBytes: 32,
        onError: (error) => failures.push(error),
      });
      for (let n = 0; n < 100; n++) producer.append(JSON.stringify(n));
      await producer.flush();
      expect(failures).toEqual([]);
      expect(requests).toBeGreaterThan(1);
      const all = await stream<number>({ url, offset: '-1', live: false, warnOnHttp: false });
      expect(await all.json()).toEqual(Array.from({ length: 100 }, (_, n) => n));
    });

    it('a producer that was overtaken is told', async () => {
      const url = freshUrl();
      const target = await DurableStream.create({ url, contentType: 'application/json', warnOnHttp: false });
      const failures: Error[] = [];
      const options = { onError: (error: Error): void => void failures.push(error) };
      const old = new IdempotentProducer(target, 'p', { ...options, epoch: 0 });
      old.append('1');
      await old.flush();
      const next = new IdempotentProducer(target, 'p', { ...options, epoch: 1 });
      next.append('2');
      await next.flush();
      expect(failures).toEqual([]);
      old.append('3');
      await old.flush().catch(() => undefined);
      expect(failures.map(({ name: error }) => error)).toEqual(['StaleEpochError']);
      const all = await stream<number>({ url, offset: '-1', live: false, warnOnHttp: false });
      expect(await all.json()).toEqual([1, 2]);
    });

    it('deletes, and learns that a stream is gone', async () => {
      const url = freshUrl();
      const target = await produce(url, [1]);
      await target.delete();
      await expect(stream({ url, offset: '-1', live: false, warnOnHttp: false })).rejects.toMatchObject({
        status: 404,
      });
    });
  });
}
