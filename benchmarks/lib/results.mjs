/**
 * Collects the rows of `results/streams.md`: a benchmark hands each of its figures to `row`, and `npm run results` sets the file that they
 * go to. Without it, as under `npm run bench`, nothing is written.
 */
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * @param {object} figure
 * @param {string} figure.what What was done.
 * @param {string} figure.ours What it took here, with its unit.
 * @param {string} [figure.yardstick] What it took there.
 * @param {string} [figure.against] Where: the bare loop or peer.
 * @param {number} [figure.ratio] How many times as fast as the yardstick; above 1 is faster.
 * @param {number} [figure.atLeast] What the ratio has to be.
 * @param {number} [figure.atMost] For costs that have no yardstick: what `value` may be at most.
 * @param {number} [figure.value] The cost that `atMost` bounds.
 */
export function row({ atLeast, atMost, ratio, value, ...figure }) {
  const file = process.env.PERENNIAL_BENCH_ROWS;
  if (!file) return;
  const goal = atLeast !== undefined ? `>= ${atLeast}` : atMost !== undefined ? `<= ${atMost}` : '';
  const met = atLeast !== undefined ? round(ratio) >= atLeast : atMost !== undefined ? value <= atMost : undefined;
  const name = basename(process.argv[1]).replace('.bench.mjs', '');
  appendFileSync(file, `${JSON.stringify({ name, ...figure, ratio: ratio && round(ratio), goal, met })}\n`);
}

/** Microseconds as text. */
export function perItem(us, unit) {
  return us < 1 ? `${(us * 1_000).toFixed(0)} ns/${unit}` : `${us.toFixed(2)} us/${unit}`;
}

/** A rate as text. */
export function perSecond(value, unit = '') {
  return `${Math.round(value).toLocaleString('en')}${unit && ` ${unit}`}/s`;
}

function round(ratio) {
  return ratio < 10 ? Math.round(ratio * 100) / 100 : Math.round(ratio);
}
