import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { createProgram } from '../src/program.ts';
import { runCli } from './support/cli.ts';

const COMMANDS = [
  [],
  ['tail'],
  ['ls'],
  ['inspect'],
  ['append'],
  ['cancel'],
  ['rm'],
  ['serve'],
  ['worker'],
  ['actor'],
  ['actor', 'run'],
  ['actor', 'list'],
  ['completion'],
];

/** The help as it is printed where there is no terminal. */
async function helpOf(command: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const io = { stdin: new PassThrough(), stdout, stderr: new PassThrough(), env: {}, cwd: '/' };
  const run = async (): Promise<void> => undefined;
  await createProgram({ io, run })
    .parseAsync([...command, '--help'], { from: 'user' })
    .catch(() => undefined);
  return String(stdout.read());
}

describe('--help', () => {
  it.each(COMMANDS.map((command) => ({ command, name: ['perennial', ...command].join(' ') })))(
    '$name',
    async ({ command, name }) => {
      const help = await helpOf(command);
      await expect(help).toMatchFileSnapshot(`golden/help/${name.replaceAll(' ', '-')}.txt`);
      expect(help).toContain('Examples:\n  perennial');
    },
  );

  it('covers every command', async () => {
    const names = COMMANDS.filter((command) => command.length === 1).map(([name]) => name);
    const listed = [...(await helpOf([])).matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name);
    for (const name of names) expect(listed).toContain(name);
  });

  it('goes to standard output of a process, without colours', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(await helpOf([]));
  });

  it('without a command goes to standard error, as a mistake', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: perennial');
  });

  it('--version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
