/** A run's stream over HTTP, from outside of the run: also before its first write, and again after its end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createMemoryStreamStore, getStreamReader, toAsyncIterable } from '@perennial/core';
import { createWorkflow } from '@perennial/workflow';

const streamStore = createMemoryStreamStore();
const workflow = createWorkflow('answer', {}, { streamStore });

const server = createServer((request, response) => {
  const reader = getStreamReader<string>({
    store: streamStore,
    workflowId: request.url?.slice(1) ?? '',
    namespace: 'ai-response',
    startIndex: 0,
    pollTimeout: 30_000, // Wait up to 30 s for new items
  });
  response.on('close', () => void reader.close());
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  void (async () => {
    for await (const token of toAsyncIterable(reader)) response.write(`data: ${JSON.stringify(token)}\n\n`);
    response.end();
  })();
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const { runId, result } = workflow.start(async ({ step }) => {
  const writer = step.getWritable<string>({ namespace: 'ai-response' });
  for (const token of ['Hello', ' World']) await writer.write(token);
  await writer.close();
});

const answer = await fetch(`http://127.0.0.1:${port}/${runId}`);
console.log((await answer.text()).trim());
await result;
server.close();

/* Prints:
data: "Hello"

data: " World"
*/
