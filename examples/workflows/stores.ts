/** The store decides what a run survives: memory, nothing; a folder, its process; Redis, its machine. The code is the same. */
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect, createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createWorkflow } from '@perennial/workflow';

const directory = await fs.mkdtemp(join(tmpdir(), 'perennial-'));

async function greet(streamStore: StreamStore): Promise<void> {
  const run = createWorkflow('greeting', {}, { streamStore }).start(
    ({ step }) => step.getWritable<string>({ namespace: 'tokens' }).write('Hello'),
    { id: 'greeting-1' },
  );
  await run.result;
  await streamStore.close();
}

await greet(createMemoryStreamStore());
await greet(createFileStreamStore({ directory, fs }));

// The run is still there for whoever opens the folder.
const reopened = createFileStreamStore({ directory });
const run = createWorkflow('greeting', {}, { streamStore: reopened })
  .define(() => undefined)
  .handle('greeting-1');
console.log(await collect(run.reader({ namespace: 'tokens' })), (await run.status()).end);
await reopened.close();
await fs.rm(directory, { recursive: true });

/* Prints:
[ 'Hello' ] { outcome: 'completed' }
*/
