import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';

import { runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

const PROJECT = fileURLToPath(new URL('fixtures', import.meta.url));

describe('arguments that make no sense', () => {
  it.each([
    { args: ['tial', 's'], says: '(Did you mean tail?)' },
    { args: ['tail', 's', '--form', '3'], says: '(Did you mean --from?)' },
    { args: ['tail'], says: "missing required argument 'stream'" },
    { args: ['tail', 's', '--from', '-1'], says: 'It must be a whole number from 0.' },
    { args: ['tail', 's', '--from', '1e3'], says: 'It must be a whole number from 0.' },
    { args: ['tail', 's', '--last', '9007199254740993'], says: 'It must be a whole number from 0.' },
    { args: ['tail', 's', '--from', '1', '--last', '2'], says: 'cannot be used with' },
    { args: ['tail', 's', '--raw', '--json'], says: 'cannot be used with' },
    { args: ['tail', 's', '--wait', 'long'], says: 'It must be a number of seconds.' },
    { args: ['ls', '--limit', '0'], says: 'It must be a whole number from 1.' },
    { args: ['serve', '--port', '70000'], says: 'A port is at most 65535.' },
    { args: ['serve', '--path', 'streams'], says: 'It must be a path such as /streams.' },
    { args: ['completion', 'cmd'], says: 'Allowed choices are bash, zsh, fish, powershell.' },
    { args: ['actor', 'rum'], says: '(Did you mean run?)' },
    { args: ['tail', 's', '--url', 'example.org'], says: '--url must be a URL such as http://127.0.0.1:4437' },
    { args: ['tail', 's', '--redis', 'http://x'], says: '--redis must be a URL such as redis://127.0.0.1:6379' },
    { args: ['tail', 's', '--redis', 'redis://x', '--dir', 'y'], says: '--redis and --dir exclude each other' },
    { args: ['serve', '--url', 'http://127.0.0.1:1'], says: 'A server cannot serve another server' },
    { args: ['serve', '--dir', 'x', '--host', '0.0.0.0'], says: '0.0.0.0 can be reached from other machines' },
    { args: ['ls', '--dir', ''], says: '--dir must be the path of a folder.' },
    { args: ['tail', '', '--dir', '.'], says: 'A stream id must be a non-empty string' },
    { args: ['tail', 's'], says: 'Where are the streams?' },
  ])('$args', async ({ args, says }) => {
    const cwd = await temporaryFolder();
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  it('two variables that contradict each other', async () => {
    const env = { PERENNIAL_URL: 'http://127.0.0.1:1', PERENNIAL_DIR: 'x' };
    const { code, stderr } = await runCli(['ls'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('PERENNIAL_URL and PERENNIAL_DIR exclude each other');
  });
});

describe('a server that never answers', () => {
  it.each([['ls'], ['inspect', 's'], ['cancel', 's'], ['rm', 's', '--yes'], ['tail', 's'], ['actor', 'run', 'deaf']])(
    'does not hold up Ctrl-C: %s',
    async (...args) => {
      const silent = createServer();
      const asked = new Promise((resolve) => {
        silent.on('connection', resolve);
      });
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      onTestFinished(() => void silent.close());
      const address = silent.address();
      const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
      const cli = startCli([...args, '--url', url], { cwd: PROJECT });
      await (args[0] === 'actor' ? cli.sees('Processing', 'stderr') : asked);
      cli.child.kill('SIGINT');
      expect((await cli.done).code).toBe(130);
    },
  );
});

describe('what cannot be found or reached', () => {
  it('a folder that is not there is not an empty store', async () => {
    const { code, stdout, stderr } = await runCli(['ls', '--dir', 'nowhere'], { cwd: await temporaryFolder() });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/There is no folder \/.*nowhere\./);
  });

  it.each([['tail'], ['inspect'], ['cancel'], ['rm', '--yes']])(
    'a stream that is not there: %s',
    async (name, ...flags) => {
      const cwd = await temporaryFolder();
      const { code, stdout, stderr } = await runCli([name, 'nothing', ...flags, '--dir', '.'], { cwd });
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('Stream "nothing" does not exist.');
    },
  );

  it.each([['tail', 's'], ['ls'], ['append', 's', 'x', '--no-create'], ['cancel', 's']])(
    'a server that is not there: %s',
    async (...args) => {
      const { code, stdout, stderr } = await runCli([...args, '--url', 'http://127.0.0.1:9']);
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toContain('http://127.0.0.1:9');
    },
  );
});
