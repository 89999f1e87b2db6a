/** A sample of the crash matrix; `npm run crash-matrix -- --long` runs all of it. A failure names the command that repeats it. */
import { expect, it } from 'vitest';

import { BOUNDARIES } from './matrix/boundaries.ts';
import {
  baseline,
  everyMishap,
  type MatrixResult,
  randomPlans,
  repeatCommand,
  runKills,
  runMemory,
  someKills,
} from './matrix/crash-matrix.ts';

/** Other points each time. */
const seed = Date.now() % 1_000_000;

const wrongOf = (results: readonly MatrixResult[]): readonly string[] =>
  results
    .filter(({ wrong }) => wrong.length > 0)
    .map((result) => `${repeatCommand(result)}: ${result.wrong.join('; ')}`);

const boundariesOf = (results: readonly MatrixResult[]): readonly string[] =>
  BOUNDARIES.filter((boundary) => results.some(({ boundaries }) => boundaries.includes(boundary)));

it(
  'on memory: at every point of every program, workers dead, asleep, gone or cancelled',
  { timeout: 120_000 },
  async () => {
    const base = await baseline();
    const results: MatrixResult[] = [];
    const plans = [...everyMishap(base), ...randomPlans(base, { from: seed, count: 300 })];
    await runMemory(plans, (result) => results.push(result));
    expect(wrongOf(results)).toEqual([]);
    expect(results).toHaveLength(plans.length);
    expect(boundariesOf(results)).toEqual(BOUNDARIES);
  },
);

it.each(['file', 'redis'] as const)(
  'on %s: processes killed at every boundary',
  { timeout: 300_000 },
  async (store) => {
    const cases = someKills(await baseline(), { seed: seed + (store === 'file' ? 0 : 1), count: 20 });
    const results: MatrixResult[] = [];
    await runKills(store, cases, (result) => results.push(result));
    expect(wrongOf(results)).toEqual([]);
    expect(results).toHaveLength(cases.length);
    // Group commit may merge two calls into one, so that a point or two is never reached.
    expect(boundariesOf(results).length).toBeGreaterThan(BOUNDARIES.length / 2);
  },
);
