/**
 * Measures several ways of doing the same work in one process, in rounds whose order rotates, and prints medians of CPU time and their
 * ratio to the first: on a noisy machine only such ratios mean anything.
 */

import { perItem, row } from './results.mjs';

/**
 * @param {string} title What is measured.
 * @param {Record<string, () => Promise<number> | number>} ways Each does the work once and returns how many items it handled. The first
 *   is the yardstick.
 * @param {{ rounds?: number, unit?: string, wall?: boolean, atLeast?: number, collect?: 'all' | 'young', warmups?: number }} [options] `wall`:
 *   measure wall time, for work that waits for a disk. `atLeast`: how many times as fast as the yardstick every other way has to be.
 *   `collect`: garbage to collect before each measurement. Collecting all of it also throws optimised code away ("embedded weak objects
 *   cleared"): for loops of nanoseconds, that would measure the compiler. `warmups`: runs of each way before the first that counts.
 * @returns {Promise<Record<string, number>>} Ratio of each way's time per item to the yardstick's, the median of the rounds' ratios: what
 *   slows the machine down for a while slows both sides of a round. Below 1 is faster.
 */
export async function compare(
  title,
  ways,
  { rounds = 7, unit = 'item', wall = false, atLeast, collect = 'all', warmups = 1 } = {},
) {
  const names = Object.keys(ways);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 0; i < warmups; i++) for (const name of names) await ways[name]();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      globalThis.gc?.({ type: collect === 'young' ? 'minor' : 'major' });
      const start = process.cpuUsage();
      const started = performance.now();
      const items = await ways[name]();
      const { user, system } = process.cpuUsage(start);
      const microseconds = wall ? (performance.now() - started) * 1_000 : user + system;
      samples[name].push(microseconds / items);
    }
  }
  const medians = Object.fromEntries(names.map((name) => [name, median(samples[name])]));
  const [first] = names;
  const yardstick = medians[first];
  const ratios = Object.fromEntries(
    names.map((name) => [name, median(samples[name].map((us, round) => us / samples[first][round]))]),
  );
  console.log(`${title} (${wall ? 'wall' : 'CPU'} time, median of ${rounds} rotated rounds)`);
  for (const name of names) {
    const us = medians[name];
    const ours = perItem(us, unit);
    console.log(`  ${name.padEnd(44)} ${ours.padStart(18)}  x${ratios[name].toFixed(2)}`);
    if (name === first) continue;
    const what = names.length > 2 ? `${title}: ${name}` : title;
    const ratio = 1 / ratios[name];
    row({ what, ours, against: first, yardstick: perItem(yardstick, unit), ratio, atLeast });
  }
  console.log('');
  return ratios;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
