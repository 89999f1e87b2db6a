/** Somebody cancels a run while a process writes it, from another process, and maybe that process dies right then. */
import { runStreamId, type StreamStore } from '@perennial/core';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { cancelRun } from '../../src/index.ts';
import { follow } from './matrix/followers.ts';
import { inspectRun } from './matrix/inspect-run.ts';
import { openGround } from './matrix/kill-ground.ts';
import { longAnswer as program } from './matrix/programs.ts';
import { spawnWorker } from './matrix/spawn-worker.ts';
import { openStore } from './matrix/store-spec.ts';

type Ground = Awaited<ReturnType<typeof openGround>>;
const grounds: Record<string, Ground> = {};
beforeAll(async () => {
  [grounds['file'], grounds['redis']] = await Promise.all([openGround('file'), openGround('redis')]);
}, 60_000);
afterAll(async () => void (await Promise.all(Object.values(grounds).map(({ close }) => close()))));

const LOOK_MS = 5;

/** Resolves once a stream has so many records; it may not be there yet. */
async function reached(store: StreamStore, id: string, count: number): Promise<void> {
  for (;;) {
    const head = await store.head(id);
    if (head?.end || (head && head.nextPosition >= count)) return;
    if (head) await store.wait(id, { position: count - 1 });
    else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const cases = (['file', 'redis'] as const).flatMap((kind) =>
  [1, 7, 60].flatMap((count) => [true, false].map((dies) => ({ kind, count, dies }))),
);

describe.concurrent('a run that is cancelled while a process writes it', () => {
  it.for(cases)(
    'on $kind, after $count records, dies: $dies',
    { timeout: 300_000 },
    async ({ kind, count, dies }, { expect }) => {
      const ground = (grounds[kind] as Ground).ground;
      const job = { store: await ground.newStore(), program: program.name, runId: 'r' };
      const store = openStore(job.store);
      const followers = follow(store, { program, runId: 'r' });
      try {
        const victim = spawnWorker({ jobs: [job], leaseMs: ground.leaseMs }, ground);
        await reached(store, runStreamId('r', 'answer'), count);
        await cancelRun(store, 'r', 'enough');
        if (dies) victim.signal('SIGKILL');
        await victim.gone;
        const last = dies ? spawnWorker({ jobs: [job], leaseMs: ground.leaseMs }, ground) : victim;
        await last.gone;
        const result = last.lines.find(({ type }) => type === 'result');
        // The run may have been faster, or have ended before it died.
        const cancelled = result?.type === 'result' && !result.ok;
        expect(result).toMatchObject(cancelled ? { code: 'CANCELLED' } : { ok: true });
        const { wrong, remains } = await inspectRun(store, { program, runId: 'r' }, { cancelled });
        expect([...wrong, ...(await followers.compare(remains.logs.keys()))]).toEqual([]);
        expect(remains.logs.get('answer')?.length).toBeGreaterThanOrEqual(count);
      } finally {
        await followers.close();
        await store.close();
      }
    },
  );
});
