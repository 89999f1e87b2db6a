import { readdirSync, readFileSync } from 'node:fs';

import { openGround } from './kill-ground.ts';
import { spawnWorker } from './spawn-worker.ts';
import { parsePoint } from './trapped-store.ts';
const { ground, close } = await openGround('redis');
const t0 = performance.now();
const log = (...a: unknown[]) => console.log((performance.now() - t0).toFixed(), ...a);
await Promise.all(
  [1, 2, 3].map(async (_, i) => {
    const program = ['parallel-steps', 'step-tokens', 'commit-step'][i]!;
    const job = { store: await ground.newStore(), program, runId: 'r' };
    const point = parsePoint('before:1:note: result');
    const sleeper = spawnWorker({ jobs: [{ ...job, point, signal: 'SIGSTOP' }], leaseMs: ground.leaseMs }, ground);
    log(i, await sleeper.told('point', 'r'));
    const successor = spawnWorker({ jobs: [job], leaseMs: ground.leaseMs }, ground);
    await successor.told('result', 'r');
    log(i, 'gone', await successor.gone.catch((e) => e));
    await new Promise((r) => setTimeout(r, 8000 * (i + 1)));
    log(i, 'wake');
    sleeper.signal('SIGCONT');
    const g = await Promise.race([sleeper.gone.catch((e) => e), new Promise((r) => setTimeout(r, 15000, 'HANG'))]);
    log(
      i,
      'sleeper gone',
      g,
      sleeper.lines.map((l) => l.type),
    );
    if (g === 'HANG') {
      for (const pid of readdirSync('/proc')) {
        if (!/^\d+$/.test(pid)) continue;
        try {
          const c = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          if (c.includes('crash-worker') && c.includes(JSON.stringify(job.store)))
            log(
              i,
              pid,
              readFileSync(`/proc/${pid}/status`, 'utf8')
                .split('\n')
                .filter((l) => /State|SigPnd|ShdPnd|SigQ/.test(l)),
              readFileSync(`/proc/${pid}/wchan`, 'utf8'),
            );
        } catch {}
      }
      sleeper.signal('SIGCONT');
      log(
        i,
        'again',
        await Promise.race([sleeper.gone.catch((e) => e), new Promise((r) => setTimeout(r, 5000, 'HANG'))]),
        sleeper.lines.map((l) => l.type),
      );
    }
  }),
);
await close();
process.exit();
