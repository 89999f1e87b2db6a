import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { temporaryFolder } from './folder.ts';

const APP = join(import.meta.dirname, '..');
const BIN = join(dirname(createRequire(import.meta.url).resolve('@perennial/cli/package.json')), 'src', 'bin.ts');

/** Runs the `perennial` command in the folder of the app, over documents of the test. */
async function perennial(...args: readonly string[]) {
  const docs = await temporaryFolder({
    'leases.md': '# Leases\n\n## What is a lease?\n\nA lease is a promise to give a sign of life.\n',
  });
  const child = spawn(process.execPath, ['--conditions=perennial-source', BIN, ...args], {
    cwd: APP,
    env: {
      ...process.env,
      PERENNIAL_REDIS_URL: '',
      OPENAI_BASE_URL: '',
      OPENAI_API_KEY: '',
      PERENNIAL_DOCS: docs,
      PERENNIAL_DATA: join(docs, 'data'),
      PERENNIAL_DEMO_PACE: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

test('perennial lists the actors of the demo', { timeout: 60_000 }, async () => {
  const { code, stdout } = await perennial('actor', 'list');
  expect(code).toBe(0);
  expect(stdout.match(/^\S+ +streams /gm)?.map((line) => line.split(' ')[0])).toEqual([
    'researcher',
    'analyst',
    'writer',
  ]);
});

test('perennial runs an actor of the demo, with its progress', { timeout: 60_000 }, async () => {
  const research = await perennial('actor', 'run', 'researcher', '--input', '"What is a lease?"', '--stream');
  expect(research.code).toBe(0);
  expect(JSON.parse(research.stdout)).toMatchObject({ sources: [{ file: 'leases.md', line: 3 }] });
  expect(research.stderr).toContain('Searching the documents');
  const answer = await perennial('actor', 'run', 'writer', '--input', '"What is a lease?"', '--stream', '-q');
  expect(answer).toEqual({ code: 0, stdout: 'A lease is a promise to give a sign of life. [1]\n', stderr: '' });
});
