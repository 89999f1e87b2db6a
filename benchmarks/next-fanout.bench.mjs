/**
 * Server CPU time of fanning a stream out to 100 SSE readers through a production build of Next, against a bare loop in the same server that
 * encodes each batch once and enqueues it to all readers. The clients run in a process of their own; rounds alternate.
 *
 * Next and React come from the root install.
 *
 * Target: at most 1.2 times the CPU time of the bare loop.
 */
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { perItem, row } from './lib/results.mjs';

const READERS = 100;
const BATCHES = 1_000;
const ROUNDS = 7;
const MARKER = '"last-of-all"';
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const app = fileURLToPath(new URL('./next-app', import.meta.url));
const next = fileURLToPath(import.meta.resolve('next/dist/bin/next'));
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

const built = spawnSync(process.execPath, [next, 'build'], { cwd: app, env, encoding: 'utf8' });
if (built.status !== 0) throw new Error(`Next could not build:\n${built.stdout}${built.stderr}`);
const port = await freePort();
const server = spawn(process.execPath, [next, 'start', '-H', '127.0.0.1', '-p', String(port)], {
  cwd: app,
  env,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const base = `http://127.0.0.1:${port}`;
try {
  await listening();
  const ratios = [];
  const samples = { bare: [], ours: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const us = {};
    for (const kind of round % 2 ? ['bare', 'ours'] : ['ours', 'bare']) us[kind] = await fanOut(kind, round);
    if (round < 0) continue;
    ratios.push(us.bare / us.ours);
    for (const kind of ['bare', 'ours']) samples[kind].push(us[kind]);
  }
  const ratio = median(ratios);
  const [ours, yardstick] = [samples.ours, samples.bare].map((values) => perItem(median(values), 'delivery'));
  console.log(
    `Fan out to ${READERS} SSE readers through Next (CPU time, median of ${ROUNDS} alternating rounds)\n` +
      `  bare encode-once loop  ${yardstick}\n  stream route           ${ours}  x${(1 / ratio).toFixed(2)}`,
  );
  row({
    what: `Fan out to ${READERS} SSE readers through Next, server CPU`,
    ours,
    against: 'bare encode-once loop in the same server',
    yardstick,
    ratio,
    atLeast: 0.83,
  });
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
}

/** CPU time of the server per delivery, in microseconds. */
async function fanOut(kind, round) {
  const id = `s${round}`;
  if (kind === 'ours') await send('PUT', { id });
  const clients = fork(fileURLToPath(new URL('./lib/sse-clients.mjs', import.meta.url)));
  const told = (type) =>
    new Promise((resolve) => clients.on('message', (message) => message.type === type && resolve()));
  const [opened, done] = [told('open'), told('done')];
  const path = kind === 'bare' ? '/bare' : `/streams/${id}?live=sse&offset=-1`;
  clients.send({ port, path, count: READERS, marker: MARKER });
  await opened;
  const before = await usage();
  await send('POST', { kind, id, batches: BATCHES, marker: MARKER });
  await done;
  const us = ((await usage()) - before) / (BATCHES * READERS);
  clients.disconnect();
  await once(clients, 'exit');
  return us;
}

async function send(method, body) {
  const sent = { method, body: JSON.stringify(body) };
  const response = await fetch(`${base}/publish`, sent);
  if (!response.ok) throw new Error(`${method} /publish: ${response.status} ${await response.text()}`);
}

async function usage() {
  return (await fetch(`${base}/usage`)).json();
}

async function listening() {
  for (let tries = 0; ; tries++) {
    try {
      await usage();
      return;
    } catch (error) {
      if (server.exitCode !== null || tries > 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  await once(probe, 'close');
  return free;
}
