/**
 * `npm run check`: every check that needs no build, side by side. A check that
 * passes prints one line; one that fails prints what its tool said.
 */
import { requirePlatform } from './lib/platform.mjs';
import { run } from './lib/run.mjs';

const checks = [
  {
    name: 'types',
    steps: [
      ['next', 'typegen', 'apps/demo'],
      ['tsc', '-b'],
    ],
  },
  { name: 'lint', steps: [['oxlint', '--type-aware']] },
  { name: 'format', steps: [['oxfmt', '--check']], fix: 'npm run format' },
  { name: 'unused code', steps: [['knip', '--no-progress']] },
  { name: 'boundaries', steps: [['turbo', 'boundaries']] },
  { name: 'versions', steps: [['sherif', '-i', 'typescript']] },
];

requirePlatform();
const results = await Promise.all(checks.map(runCheck));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function runCheck({ name, steps, fix }) {
  let seconds = 0;
  for (const [tool, ...args] of steps) {
    const result = await run(tool, args, { capture: true });
    seconds += result.seconds;
    if (result.code === 0) continue;
    console.error(`failed  ${name} (${[tool, ...args].join(' ')})\n\n${result.output.trimEnd()}\n`);
    if (fix) console.error(`${fix} repairs this.\n`);
    return false;
  }
  console.log(`ok      ${name}, ${seconds.toFixed(1)} s`);
  return true;
}
