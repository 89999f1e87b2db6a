/**
 * Our handler against the reference server of the open protocol, each in a process of its own, in memory and on disk, doing the same work for
 * the same HTTP client. Compared is the CPU time of the server, which other work on the machine disturbs least; for chunks per
 * second and appends that wait for a disk, wall time. Rounds alternate, ratios are medians of the rounds' ratios.
 *
 * Targets: twice the appends and reads, a tail read that costs the same at any length, and 500 SSE readers on the file store.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createHttpClient } from './http-client.mjs';
import { perItem, perSecond, row } from './results.mjs';

const ROUNDS = 9;
const IN_FLIGHT = 16;
/** What counts is the tenth minute of a server, not its first seconds, in which it mostly compiles. */
const WARM_UP_MS = 8_000;
/** Per round. */
const APPENDS = 4_000;
const BATCHES = 200;
const TAIL_READS = 2_000;
const CHUNKS = 500;
const value = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });
const arrayOf = (count) => `[${Array.from({ length: count }, () => value).join(',')}]`;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const { send, close } = createHttpClient(IN_FLIGHT);
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const children = [];
let names = 0;

async function start(kind) {
  const script = fileURLToPath(new URL('./stream-server.mjs', import.meta.url));
  const child = fork(script, [kind, join(folder, kind)], {
    execArgv: ['--expose-gc'],
    // The reference server logs slow appends.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  const [{ url }] = await once(child, 'message');
  const ask = async (what) => {
    child.send(what);
    return (await once(child, 'message'))[0];
  };
  const server = { kind, url, cpu: () => ask('cpu'), memory: () => ask('memory') };
  await warmUp(server);
  return server;
}

/** Appends and reads for a while, and leaves nothing behind. */
async function warmUp(server) {
  const end = performance.now() + WARM_UP_MS;
  while (performance.now() < end) {
    const url = await created(server, 10);
    await repeat(200, () => send('POST', url, value));
    await repeat(20, () => send('POST', url, arrayOf(100)));
    await repeat(100, () => send('GET', `${url}?offset=-1`));
    await send('DELETE', url);
  }
}

async function repeat(count, call) {
  let left = count;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) await call();
    }),
  );
}

async function created(server, records = 0) {
  const url = `${server.url}/bench/${names++}`;
  await send('PUT', url);
  for (let n = 0; n < records; n += 1_000) await send('POST', url, arrayOf(Math.min(1_000, records - n)));
  return url;
}

/** @returns {Promise<{ cpuUs: number, wallUs: number }>} per item */
async function cost(server, items, work) {
  const before = await server.cpu();
  const started = performance.now();
  await work();
  const wallUs = ((performance.now() - started) * 1_000) / items;
  return { wallUs, cpuUs: ((await server.cpu()) - before) / items };
}

/** Runs `task` on both servers in turns. `task` returns the cost of one round. */
async function contest(
  what,
  { ours, reference, name = `${ours.kind} store` },
  task,
  { unit, by = 'cpuUs', hasGoal = true },
) {
  const rounds = [];
  for (let round = -1; round < ROUNDS; round++) {
    const costs = {};
    for (const server of round % 2 ? [ours, reference] : [reference, ours])
      costs[server === ours ? 'ours' : 'reference'] = (await task(server))[by];
    if (round >= 0) rounds.push(costs);
  }
  const of = (name) => median(rounds.map((costs) => costs[name]));
  const ratio = median(rounds.map((costs) => costs.reference / costs.ours));
  const show = (us) => (by === 'wallUs' ? perSecond(1_000_000 / us, `${unit}s`) : `${perItem(us, unit)} of server CPU`);
  const title = `${name}: ${what}`;
  console.log(
    `${title.padEnd(72)} ${show(of('ours'))}   ${reference.kind} ${show(of('reference'))}   ratio ${ratio.toFixed(2)}`,
  );
  row({
    what: title,
    ours: show(of('ours')),
    against: reference.kind,
    yardstick: show(of('reference')),
    ratio,
    ...(hasGoal && { atLeast: 2 }),
  });
}

async function catchUp(url) {
  for (let offset = '-1'; ;) {
    const { headers } = await send('GET', `${url}?offset=${offset}`);
    offset = headers['stream-next-offset'];
    if (headers['stream-up-to-date'] === 'true') return;
  }
}

/** Opens SSE readers in a process of their own; `done` resolves once each has seen the marker. */
async function follow(url, count, marker) {
  const { port, pathname } = new URL(url);
  const clients = fork(fileURLToPath(new URL('./sse-clients.mjs', import.meta.url)));
  const told = (type) =>
    new Promise((resolve) => clients.on('message', (message) => message.type === type && resolve()));
  const [opened, done] = [told('open'), told('done')];
  clients.send({ port: Number(port), path: `${pathname}?live=sse&offset=-1`, count, marker });
  await opened;
  return { done: done.then(() => clients.disconnect()) };
}

async function live(server, readers, chunks) {
  const url = await created(server, 1);
  const { done } = await follow(url, readers, '"last-of-all"');
  return cost(server, chunks, async () => {
    for (let n = 0; n < chunks; n++) await send('POST', url, value);
    await send('POST', url, '"last-of-all"');
    await done;
  });
}

const append = (count, size) => async (server) => {
  const url = await created(server);
  const body = size === 1 ? value : arrayOf(size);
  return cost(server, count * size, () => repeat(count, () => send('POST', url, body)));
};

const readTail = (tails) => (server) =>
  cost(server, TAIL_READS, () => repeat(TAIL_READS, () => send('GET', tails.get(server))));

/** What any server could reach against the reference: one that keeps nothing takes our place. */
async function compareFloor(reference) {
  const nothing = await start('nothing');
  const pair = { ours: nothing, reference, name: 'A server that does nothing' };
  const tails = await tailsOf(pair, 1_000);
  await contest('appends of one record, 16 in flight', pair, append(APPENDS, 1), { unit: 'append', hasGoal: false });
  await contest('read of the last 10 of 1,000 records', pair, readTail(tails), { unit: 'read', hasGoal: false });
}

/** For each server, the URL of the last 10 records of a stream of `length` more. */
async function tailsOf({ ours, reference }, length) {
  const tails = new Map();
  for (const server of [ours, reference]) {
    const url = await created(server, length);
    const { headers } = await send('HEAD', url);
    await send('POST', url, arrayOf(10));
    tails.set(server, `${url}?offset=${headers['stream-next-offset']}`);
  }
  return tails;
}

async function compareAll(pair) {
  await contest('appends of one record, 16 in flight', pair, append(APPENDS, 1), { unit: 'append' });
  await contest('the same, wall time', pair, append(APPENDS, 1), { unit: 'append', by: 'wallUs' });
  await contest('appends of 100 records', pair, append(BATCHES, 100), { unit: 'record' });
  const long = new Map([
    [pair.ours, await created(pair.ours, 10_000)],
    [pair.reference, await created(pair.reference, 10_000)],
  ]);
  await contest(
    'catch-up on 10,000 records',
    pair,
    (server) =>
      cost(server, 5 * 10_000, async () => {
        for (let n = 0; n < 5; n++) await catchUp(long.get(server));
      }),
    { unit: 'record' },
  );
  for (const length of [1_000, 10_000, 50_000]) {
    const tails = await tailsOf(pair, length);
    const what = `read of the last 10 of ${length.toLocaleString('en')} records`;
    await contest(what, pair, readTail(tails), { unit: 'read' });
  }
  for (const readers of [1, 10]) {
    await contest(
      `${readers} SSE reader${readers > 1 ? 's' : ''}, chunks posted one by one`,
      pair,
      (server) => live(server, readers, CHUNKS),
      { unit: 'chunk', by: 'wallUs' },
    );
  }
}

/** 500 readers of one stream: CPU time per delivery, and memory per reader. */
async function many(server, readers, chunks) {
  const url = await created(server, 1);
  const idle = await server.memory();
  const { done } = await follow(url, readers, '"last-of-all"');
  const open = await server.memory();
  const { cpuUs } = await cost(server, readers * chunks, async () => {
    for (let n = 0; n < chunks; n++) await send('POST', url, value);
    await send('POST', url, '"last-of-all"');
    await done;
  });
  return { cpuUs, bytesPerReader: (open - idle) / readers };
}

async function compareMany({ ours, reference }) {
  const [mine, theirs] = [await many(ours, 500, 20), await many(reference, 500, 20)];
  const perReader = ({ bytesPerReader }) => `${(bytesPerReader / 1_024).toFixed(1)} KiB`;
  report('500 SSE readers: server CPU per delivery', {
    pair: [ours, reference],
    texts: [perItem(mine.cpuUs, 'delivery'), perItem(theirs.cpuUs, 'delivery')],
    ratio: theirs.cpuUs / mine.cpuUs,
  });
  report('500 SSE readers: memory of the server per reader', {
    pair: [ours, reference],
    texts: [perReader(mine), perReader(theirs)],
    ratio: theirs.bytesPerReader / mine.bytesPerReader,
  });
}

function report(what, { pair: [ours, reference], texts: [mine, theirs], ratio }) {
  const title = `${ours.kind} store: ${what}`;
  console.log(`${title}  ${mine}   ${reference.kind} ${theirs}   ratio ${ratio.toFixed(2)}`);
  row({ what: title, ours: mine, against: reference.kind, yardstick: theirs, ratio });
}

async function compareMemory({ ours, reference }) {
  const grown = [];
  for (const server of [ours, reference]) {
    const before = await server.memory();
    for (let n = 0; n < 20; n++) await created(server, 10_000);
    grown.push((await server.memory()) - before);
  }
  const [mine, theirs] = grown.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`);
  report('memory that 20 streams of 10,000 records take', {
    pair: [ours, reference],
    texts: [mine, theirs],
    ratio: grown[1] / grown[0],
  });
}

/** @param {'memory' | 'file'} medium Where both servers keep the streams. */
export async function compareWithReference(medium) {
  try {
    const pair = { ours: await start(medium), reference: await start(`reference-${medium}`) };
    if (medium === 'memory') await compareFloor(pair.reference);
    await compareAll(pair);
    await compareMany(pair);
    await compareMemory(pair);
  } finally {
    for (const child of children) child.disconnect();
    await close();
    await rm(folder, { recursive: true, force: true });
  }
}
