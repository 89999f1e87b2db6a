/** What starting the command costs against starting Node, from the built package: every call by a person or a script pays it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { compare } from './lib/rounds.mjs';

const RUNS = 10;
const bin = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));

await compare(
  'Start and end',
  {
    'node -e 0': () => times('-e', '0'),
    'perennial --help': () => times(bin, '--help'),
    'perennial tail --help': () => times(bin, 'tail', '--help'),
    'perennial --version': () => times(bin, '--version'),
  },
  { unit: 'start', wall: true },
);

function times(...args) {
  for (let i = 0; i < RUNS; i++) {
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${String(stderr)}`);
  }
  return RUNS;
}
