/**
 * `npm run results [-- part of a name]`: runs the benchmarks like `npm run bench`, and writes their figures to `results/streams.md`. Figures of
 * benchmarks that did not run stay as they were.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findRedis } from '../packages/redis-server/src/index.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const kept = join(folder, 'results', 'figures.json');
const [part = ''] = process.argv.slice(2);
const figures = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : {};
const files = readdirSync(folder).filter((file) => file.endsWith('.bench.mjs') && file.includes(part));
const rows = join(folder, 'results', 'rows.jsonl');

for (const file of files) {
  console.log(`\n== ${file}\n`);
  rmSync(rows, { force: true });
  const load = loadavg()[0].toFixed(1);
  const { status } = spawnSync(process.execPath, ['--expose-gc', join(folder, file)], {
    stdio: 'inherit',
    env: { ...process.env, PERENNIAL_BENCH_ROWS: rows },
  });
  if (status !== 0) process.exit(status ?? 1);
  if (!existsSync(rows)) continue;
  const lines = readFileSync(rows, 'utf8').trim().split('\n');
  figures[file.replace('.bench.mjs', '')] = {
    machine: await machine(),
    load,
    rows: lines.map((line) => JSON.parse(line)),
  };
  // At once: a benchmark that fails must not cost the figures of those before it.
  writeFileSync(kept, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(join(folder, 'results', 'streams.md'), page(figures));
}
rmSync(rows, { force: true });

async function machine() {
  const [cpu] = cpus();
  const [version] = /[\d.]+/.exec((await findRedis()).version) ?? ['of unknown version'];
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} virtual cores of ${cpu?.model.trim()}, ${memory} GiB, Node ${process.version}, Redis ${version}`;
}

function page(all) {
  const groups = Object.entries(all).filter(([, { rows: own }]) => own.length > 0);
  const machines = [...new Set(groups.map(([, group]) => group.machine))];
  const line = ({ what, ours, against = '', yardstick = '', ratio = '', goal, met }) =>
    `| ${[what, ours, against, yardstick, ratio, goal, met === undefined ? '' : met ? 'yes' : '**no**'].join(' | ')} |`;
  return [
    '# Streams, measured',
    [
      'Written by `npm run results` in `benchmarks`. A ratio says how many times as fast as the yardstick we are: above 1 is faster. Both sides',
      'ran in turns in the same run, because only the ratio means anything on another machine.',
    ].join('\n'),
    `Measured on ${machines.join('; and on ')}. The load average at the start stands with each benchmark: where it is far`.concat(
      ' above the number of cores, other work ran beside it, and wall times are only a rough guide.',
    ),
    ...groups.flatMap(([name, { rows: own, load }]) => [
      `## \`npm run bench -- ${name}\``,
      `Load average at the start: ${load}.`,
      [
        '| what | ours | against | yardstick | ratio | goal | reached |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        ...own.map(line),
      ].join('\n'),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}
