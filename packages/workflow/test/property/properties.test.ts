/**
 * Random programs on workers that crash, pause and overtake one another, on a store whose requests and answers get lost, come late and
 * come twice: what is left always is what an uninterrupted run leaves. `PROGRAMS=20000 SEED=1 npx vitest run --project @perennial/workflow
 * property` runs more of them, or others.
 */
import { expect, it } from 'vitest';

import { check } from './check.ts';
import { makeProgram } from './program.ts';
import { runProgram } from './world.ts';

const PROGRAMS = Number(process.env['PROGRAMS'] ?? 2_000);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
/** Programs that run at the same time: most of their time they wait for a turn. */
const TOGETHER = 16;

it(`${PROGRAMS} programs from seed ${FIRST_SEED}`, { timeout: 3_600_000 }, async () => {
  const wrong: string[] = [];
  let workers = 0;
  let seed = FIRST_SEED;
  const work = async (): Promise<void> => {
    while (seed < FIRST_SEED + PROGRAMS && wrong.length < 5) {
      const mine = seed++;
      const program = makeProgram(mine);
      try {
        const remains = await runProgram(program, mine);
        workers += remains.workers;
        for (const problem of check(program, remains)) wrong.push(`seed ${mine}: ${problem}`);
      } catch (error) {
        wrong.push(`seed ${mine}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  expect(wrong).toEqual([]);
  // Programs without a takeover would prove little.
  expect(workers).toBeGreaterThan(PROGRAMS * 1.5);
});
