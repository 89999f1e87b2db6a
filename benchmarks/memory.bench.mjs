/** The memory store and the writer against a bare array, and tail reads of short and long streams. */
import { createMemoryStreamStore, getStreamWriter } from '@perennial/core';

import { compare } from './lib/rounds.mjs';

const COUNT = 200_000;
const payload = JSON.stringify({ token: 'word' });

await compare(
  'Append to the memory store',
  {
    'bare loop: await, stringify, push': async () => {
      const log = [];
      for (let i = 0; i < COUNT; i++) {
        await Promise.resolve();
        log.push({ position: i, data: JSON.stringify({ token: 'word' }) });
      }
      return log.length;
    },
    'store.append, one awaited record': async () => {
      const store = await open();
      for (let i = 0; i < COUNT; i++) await store.append('s', { segments: [{ records: [{ data: payload }] }] });
      return COUNT;
    },
    'store.append, 100 records at a time': async () => {
      const store = await open();
      const records = Array.from({ length: 100 }, () => ({ data: payload }));
      for (let i = 0; i < COUNT; i += 100) await store.append('s', { segments: [{ records }] });
      return COUNT;
    },
    'writer.write, awaited one by one': async () => {
      const writer = getStreamWriter({ store: await open(), streamId: 's' });
      for (let i = 0; i < COUNT; i++) await writer.write({ token: 'word' });
      await writer.close();
      return COUNT;
    },
    'writer.write with 1,000 readers of other streams': async () => {
      const store = await open();
      const stop = new AbortController();
      const waits = Array.from({ length: 1_000 }, async (_, i) => {
        await store.create(`other/${i}`);
        await store.wait(`other/${i}`, { position: 0, signal: stop.signal }).catch(() => {});
      });
      const writer = getStreamWriter({ store, streamId: 's' });
      for (let i = 0; i < COUNT; i++) await writer.write({ token: 'word' });
      await writer.close();
      stop.abort();
      await Promise.all(waits);
      return COUNT;
    },
  },
  { unit: 'record' },
);

const short = await filled(1_000);
const long = await filled(1_000_000);
await compare(
  'Read the last 10 records',
  { 'of 1,000': () => tail(short, 1_000), 'of 1,000,000': () => tail(long, 1_000_000) },
  { unit: 'read' },
);

async function open() {
  const store = createMemoryStreamStore();
  await store.create('s');
  return store;
}

async function filled(count) {
  const store = await open();
  for (let i = 0; i < count; i += 1_000) {
    await store.append('s', { segments: [{ records: Array.from({ length: 1_000 }, () => ({ data: payload })) }] });
  }
  return store;
}

async function tail(store, count) {
  for (let i = 0; i < 20_000; i++) await store.read('s', { from: count - 10 });
  return 20_000;
}
