/**
 * `npm run bench -- [part of a name]`: runs the benchmark files in this folder,
 * each in a process of its own and one after the other, because a heap warmed up
 * by one benchmark would flatter or slow down the next.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const [part = ''] = process.argv.slice(2);
const files = readdirSync(folder).filter((file) => file.endsWith('.bench.mjs') && file.includes(part));

if (files.length === 0) {
  console.error(`No file in ${folder} is named *${part}*.bench.mjs.`);
  process.exit(2);
}
for (const file of files) {
  console.log(`\n== ${file}\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', join(folder, file)], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
