import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { cleanEnv, NODE_ARGS, runCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    const { code, stdout, stderr } = await runCli(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/perennial complete/);
  });

  it.each([
    { words: [''], has: ['tail\tshow a stream', 'actor\t', 'completion\t'], lacks: ['complete\t'] },
    { words: ['actor', ''], has: ['run\trun an actor', 'list\t'], lacks: ['tail\t'] },
    { words: ['tail', '--'], has: ['--from\t', '--no-follow\t', '--url\t'], lacks: ['--yes\t'] },
    { words: ['completion', ''], has: ['bash', 'zsh', 'fish'], lacks: [] },
  ])('completes $words', async ({ words, has, lacks }) => {
    const { code, stdout } = await runCli(['complete', '--', ...words]);
    expect(code).toBe(0);
    for (const line of has) expect(stdout).toContain(line);
    for (const line of lacks) expect(`\n${stdout}`).not.toContain(`\n${line}`);
  });

  it('works in a real bash', async () => {
    const folder = await temporaryFolder();
    const command = join(folder, 'perennial');
    await writeFile(
      command,
      `#!/bin/sh\nexec '${process.execPath}' ${NODE_ARGS.map((arg) => `'${arg}'`).join(' ')} "$@"\n`,
    );
    await chmod(command, 0o755);
    const { stdout: script } = await runCli(['completion', 'bash']);
    await writeFile(join(folder, 'script'), script);
    // What bash does when somebody types "perennial in" and presses Tab.
    const type = [
      // The two that the package bash-completion and an interactive shell bring.
      '_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }',
      'compopt() { :; }',
      'source "$1/script"',
      'COMP_WORDS=(perennial in); COMP_CWORD=1; COMP_LINE="perennial in"; COMP_POINT=12',
      'complete -p perennial',
      '$(complete -p perennial | sed "s/.*-F \\([^ ]*\\).*/\\1/")',
      'echo "reply: ${COMPREPLY[*]}"',
    ].join('\n');
    const env = cleanEnv();
    const shell = spawn('bash', ['--norc', '-c', type, 'bash', folder], {
      env: { ...env, PATH: `${folder}${delimiter}${env['PATH'] ?? ''}` },
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    await once(shell, 'close');
    expect(output).toMatch(/reply: inspect\s*$/);
  });
});
