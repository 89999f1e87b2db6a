import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { createFileStreamStore } from '@perennial/store-file';
import { describe, expect, it } from 'vitest';

import { cleanEnv, NODE_ARGS, runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

async function longStream(directory: string): Promise<void> {
  const store = createFileStreamStore({ directory, durability: 'os' });
  const records = Array.from({ length: 5_000 }, (_, i) => ({ data: JSON.stringify('x'.repeat(200) + i) }));
  await store.create('long', { records });
  await store.close();
}

describe('pipes', () => {
  it.each([
    { name: 'tail', args: ['tail', 'long'] },
    { name: 'tail --json', args: ['tail', 'long', '--json'] },
    { name: 'tail --no-follow', args: ['tail', 'long', '--no-follow'] },
  ])('$name | head ends quietly', async ({ args }) => {
    const directory = await temporaryFolder();
    await longStream(directory);
    const command = [process.execPath, ...NODE_ARGS, ...args, '--dir', directory].map((arg) => `'${arg}'`).join(' ');
    const shell = spawn('bash', ['-c', `set -o pipefail; ${command} | head -n 2 | wc -l`], { env: cleanEnv() });
    let stderr = '';
    let stdout = '';
    shell.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    shell.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    const [code] = (await once(shell, 'close')) as [number];
    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: '2', stderr: '' });
  });

  it('a reader that is slow gets everything', async () => {
    const directory = await temporaryFolder();
    await longStream(directory);
    const tail = startCli(['tail', 'long', '--no-follow', '--dir', directory]);
    tail.child.stdout?.pause();
    await once(tail.child, 'spawn');
    tail.child.stdout?.resume();
    const { stdout } = await tail.done;
    expect(stdout.split('\n')).toHaveLength(5_001);
  });

  it('have no colour codes, whatever is written', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder(), COLORTERM: 'truecolor' };
    const results = [
      await runCli(['append', 's', 'x', '--close'], { env }),
      await runCli(['tail', 's'], { env }),
      await runCli(['ls'], { env }),
      await runCli(['inspect', 's'], { env }),
      await runCli(['tail', 'other'], { env }),
      await runCli(['tial'], { env }),
    ];
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain('\u001b');
  });
});
