/** The browser's own client, in a process of its own: no library, no code of ours. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { expect, it } from 'vitest';

import { append, seed } from './support/harness.ts';
import { serve } from './support/serve.ts';

const script = join(import.meta.dirname, '..', 'processes', 'event-source.ts');

interface Seen {
  readonly type: 'open' | 'data' | 'control' | 'closed';
  readonly data?: string;
}

it(
  'a bare EventSource resumes by itself, without loss or repetition, and stops at the end',
  { timeout: 60_000 },
  async () => {
    const store = createMemoryStreamStore();
    await seed(store, 's', [0]);
    // Each response lasts so short that there are several; the client waits a while between them.
    const served = await serve(createStreamHandler({ store, authorize: () => true, sseMaxMs: 100 }));
    const args = ['--experimental-eventsource', '--no-warnings', script, `${served.url}/s?live=sse&offset=-1`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const written: unknown[] = [0];
    const seen: unknown[] = [];
    let responses = 0;
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { type, data = '' } = JSON.parse(line) as Seen;
        if (type === 'data') seen.push(...(JSON.parse(data) as unknown[]));
        if (type === 'closed') break;
        if (type !== 'open' || ++responses > 2) continue;
        written.push(`a${responses}`, `b${responses}`);
        await append(store, 's', ...written.slice(-2));
        if (responses === 2) await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
      }
      expect(seen).toEqual(written);
      expect(responses).toBeGreaterThanOrEqual(2);
    } finally {
      child.kill();
      await served.close();
    }
  },
);
