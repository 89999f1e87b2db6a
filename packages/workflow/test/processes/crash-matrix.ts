/**
 * The crash matrix: `npm run crash-matrix`. Prints each case that goes wrong with the command that repeats it, and a table of all.
 *
 * Options: `--long` (every point on every store instead of a sample, and more in a row), `--store memory,file,redis`, `--seed N`,
 * `--kills N` (cases per store with processes), `--random N` (cases with several mishaps in a row), `--only "store/program/plan"`.
 */
import { parseArgs } from 'node:util';

import {
  baseline,
  everyKill,
  everyMishap,
  type MatrixResult,
  randomPlans,
  repeatCommand,
  runKills,
  runMemory,
  someKills,
  STORES,
} from '../crash/matrix/crash-matrix.ts';
import { formatTable } from '../crash/matrix/crash-table.ts';
import { programOf } from '../crash/matrix/programs.ts';
import { parseMishap } from '../crash/matrix/simulate.ts';
import { parsePoint } from '../crash/matrix/trapped-store.ts';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    store: { type: 'string', default: STORES.join(',') },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kills: { type: 'string', default: '40' },
    random: { type: 'string' },
    only: { type: 'string' },
  },
});
const seed = Number(values.seed);
const results: MatrixResult[] = [];
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function onResult(result: MatrixResult): void {
  results.push(result);
  const { wrong } = result;
  if (wrong.length === 0) return;
  print(`wrong: ${repeatCommand(result)}`);
  for (const finding of wrong) print(`  ${finding}`);
}

async function runOnly(only: string): Promise<void> {
  const [store, name = '', plan = ''] = only.split(/\/(.*?)\//);
  const program = programOf(name);
  const parts = plan.split(', ').filter((part) => part !== '');
  if (store === 'memory') await runMemory([{ program, mishaps: parts.map(parseMishap) }], onResult);
  else if (store === 'file' || store === 'redis')
    await runKills(store, [{ program, points: parts.map(parsePoint) }], onResult);
  else throw new Error(`There is no store ${store}; there are ${STORES.join(', ')}.`);
}

async function runAll(): Promise<void> {
  const stores = values.store.split(',');
  const count = Number(values.random ?? (values.long ? 20_000 : 1_000));
  const base = await baseline();
  print(`seed ${seed}`);
  for (const store of STORES.filter((one) => stores.includes(one))) {
    if (store === 'memory')
      await runMemory([...everyMishap(base), ...randomPlans(base, { from: seed, count })], onResult);
    else
      await runKills(
        store,
        values.long ? everyKill(base, seed) : someKills(base, { seed, count: Number(values.kills) }),
        onResult,
      );
    print(`${store}: ${results.filter((result) => result.store === store).length} runs`);
  }
}

await (values.only === undefined ? runAll() : runOnly(values.only));
print(`\n${formatTable(results)}\n`);
process.exitCode = results.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
