/**
 * `useStream` on an answer of 5,000 tokens that arrive one by one: commits against frames, and CPU time against two components that do the
 * same work. The yardstick is a component written by hand that reads the same response, adds to a string and sets state once per frame;
 * the peer is TanStack Query's `streamedQuery`, which keeps the tokens in an array.
 *
 * React, TanStack Query and happy-dom come from the root install: a copy of React in this folder would be a second one.
 */
import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { parseSse } from '@perennial/core/sse';
import { Window } from 'happy-dom';

import { compare } from './lib/rounds.mjs';

const TOKENS = 5_000;
const TOKENS_PER_TURN = 5;
const FRAME_MS = 16;

const window = new Window();
let frames = 0;
Object.assign(globalThis, {
  window,
  document: window.document,
  // React asks for it when it decides how to schedule an update.
  HTMLIFrameElement: window.HTMLIFrameElement,
  requestAnimationFrame: (draw) =>
    setTimeout(() => {
      frames++;
      draw(performance.now());
    }, FRAME_MS),
  cancelAnimationFrame: clearTimeout,
});
// What users run; and after the window, which React looks for when it is loaded.
process.env.NODE_ENV = 'production';
const { createElement: h, useEffect, useState } = await import('react');
const { createRoot } = await import('react-dom/client');
const { experimental_streamedQuery, QueryClient, QueryClientProvider, useQuery } =
  await import('@tanstack/react-query');
const { useStream } = await import('@perennial/react');

const store = createMemoryStreamStore();
const handler = createStreamHandler({ store, authorize: () => true });
const fetchStream = (url, init) => handler(new Request(url, init));
const urlOf = (id) => `http://bench.invalid/${id}`;

/** Tokens as they come over a plain SSE response. */
async function* tokensOf(id, signal) {
  const response = await fetchStream(`${urlOf(id)}?offset=-1&live=sse`, { signal });
  for await (const { event, data } of parseSse(response.body)) {
    if (event === 'data') yield* JSON.parse(data);
    else if (JSON.parse(data).streamClosed) return;
  }
}

function ByHand({ id, onCommit }) {
  useEffect(onCommit);
  const [text, setText] = useState('');
  useEffect(() => {
    const controller = new AbortController();
    const read = async () => {
      let all = '';
      let frame = null;
      for await (const token of tokensOf(id, controller.signal)) {
        all += token;
        frame ??= requestAnimationFrame(() => {
          frame = null;
          setText(all);
        });
      }
    };
    void read();
    return () => controller.abort();
  }, [id]);
  return h('p', null, text.length);
}

function Ours({ id, onCommit }) {
  useEffect(onCommit);
  const { data } = useStream(
    { url: urlOf(id), fetch: fetchStream },
    { reduce: (text, token) => text + token, initial: '' },
  );
  return h('p', null, data.length);
}

function Peer({ id, onCommit }) {
  useEffect(onCommit);
  const { data = [] } = useQuery({
    queryKey: ['peer', id],
    queryFn: experimental_streamedQuery({ streamFn: ({ signal }) => tokensOf(id, signal) }),
    staleTime: Infinity,
  });
  return h('p', null, data.join('').length);
}

let streams = 0;

/** Renders a component while a stream is written, until it shows all of it. */
async function run(component, tally) {
  const id = `s${streams++}`;
  await store.create(id);
  const container = document.createElement('div');
  const root = createRoot(container);
  const client = new QueryClient();
  let commits = 0;
  const framesBefore = frames;
  root.render(h(QueryClientProvider, { client }, h(component, { id, onCommit: () => void commits++ })));
  for (let i = 0; i < TOKENS; i += TOKENS_PER_TURN) {
    for (let n = 0; n < TOKENS_PER_TURN; n++)
      await store.append(id, { segments: [{ records: [{ data: '"token "' }] }] });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await store.append(id, { segments: [{ records: [], end: { outcome: 'completed' } }] });
  while (Number(container.textContent) < TOKENS * 6) await new Promise((resolve) => setTimeout(resolve, 1));
  root.unmount();
  client.clear();
  await store.delete(id);
  tally.push({ commits, frames: frames - framesBefore });
  return TOKENS;
}

const tallies = { hand: [], ours: [], peer: [] };
await compare(
  `Show ${TOKENS} tokens as they come`,
  {
    'by hand, one state change per frame': () => run(ByHand, tallies.hand),
    useStream: () => run(Ours, tallies.ours),
    'streamedQuery of TanStack Query': () => run(Peer, tallies.peer),
  },
  { unit: 'token', rounds: 15 },
);

const last = (tally) => tally.at(-1);
for (const [name, tally] of Object.entries({ 'by hand': tallies.hand, useStream: tallies.ours })) {
  const { commits, frames: drawn } = last(tally);
  console.log(`${name}: ${commits} commits in ${drawn} frames (x${(commits / drawn).toFixed(2)})`);
}
console.log(`streamedQuery: ${last(tallies.peer).commits} commits`);
const excess = Math.max(...tallies.ours.map(({ commits, frames: drawn }) => commits - drawn));
console.log(
  `useStream: at most frames ${excess < 0 ? '-' : '+'} ${Math.abs(excess)} commits in ${tallies.ours.length} runs (limit: + 2)`,
);
// Queries that nobody uses any more are kept for five minutes, and the process with them.
process.exit(excess > 2 ? 1 : 0);
