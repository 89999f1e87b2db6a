/**
 * `npm test`: everything that has to hold before a release, in one run: the
 * checks, the build, the packed tarballs, the unit tests with a real Redis and
 * the end-to-end tests in a real Chromium. A step that cannot run is a failed
 * step. The last line alone says how many tests passed and failed; steps without
 * tests of their own count only when they fail.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { playwrightCounts, readCounts, vitestCounts } from './lib/counts.mjs';
import { requirePlatform } from './lib/platform.mjs';
import { root } from './lib/root.mjs';
import { run } from './lib/run.mjs';

const reports = join(root, '.reports');
const vitestReport = join(reports, 'vitest.json');
const playwrightReport = join(reports, 'playwright.json');

requirePlatform();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports);

const total = { passed: 0, failed: 0, skipped: 0 };
const summary = [];
let browserEnv = null;
let redisEnv = null;

await step('Chromium', findBrowser);
await step('Redis', findRedisServer);
await step('Checks', () => tool(process.execPath, [join(root, 'scripts', 'check.mjs')]));
const built = await step('Build', () => tool('turbo', ['run', 'build', '--output-logs=new-only']));
if (built) await step('Packed tarballs', () => tool(process.execPath, [join(root, 'scripts', 'packed.mjs')]));
else skipStep('Packed tarballs', 'the build failed');
if (redisEnv) await step('Unit tests', unitTests);
else skipStep('Unit tests', 'there is no Redis');
if (built && browserEnv && redisEnv) await step('End-to-end tests', endToEndTests);
else skipStep('End-to-end tests', built ? 'there is no Chromium or no Redis' : 'the build failed');

console.log(`\n${summary.join('\n')}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(
  `Tests: ${total.passed} passed, ${total.failed} failed${total.skipped === 0 ? '' : `, ${total.skipped} skipped`}`,
);

/** Runs one step and adds its counts; true when nothing in it failed. */
async function step(name, work) {
  console.log(`\n== ${name}\n`);
  const started = performance.now();
  const counts = await work();
  for (const key of Object.keys(total)) total[key] += counts[key];
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  summary.push(`${counts.failed === 0 ? 'ok    ' : 'failed'}  ${name}, ${seconds} s`);
  return counts.failed === 0;
}

function skipStep(name, reason) {
  total.failed++;
  summary.push(`failed  ${name}: not run, because ${reason}`);
}

async function tool(command, args) {
  const { code } = await run(command, args);
  return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function findBrowser() {
  try {
    const { findChromium } = await import('../e2e/support/find-chromium.ts');
    const { path, env } = await findChromium();
    browserEnv = { ...env, CHROMIUM_PATH: path };
    console.log(path);
    return { passed: 0, failed: 0, skipped: 0 };
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** Finds the server once, so that the test processes need not look, let alone fetch it, all at the same time. */
async function findRedisServer() {
  try {
    const { findRedis } = await import('../packages/redis-server/src/index.ts');
    const { path, env, version } = await findRedis();
    redisEnv = { ...env, REDIS_SERVER_PATH: path };
    console.log(`${path} (${version})`);
    return { passed: 0, failed: 0, skipped: 0 };
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function unitTests() {
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`];
  const { code } = await run('vitest', args, { env: redisEnv });
  return readCounts(vitestReport, code, vitestCounts);
}

async function endToEndTests() {
  const { code } = await run('playwright', ['test', '--reporter=list,json'], {
    cwd: join(root, 'e2e'),
    env: { ...browserEnv, ...redisEnv, PLAYWRIGHT_JSON_OUTPUT_NAME: playwrightReport },
  });
  return readCounts(playwrightReport, code, playwrightCounts);
}
