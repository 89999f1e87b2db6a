import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { createHttpStore } from '@perennial/core/client';
import { createFileStreamStore } from '@perennial/store-file';
import { describe, expect, it, onTestFinished } from 'vitest';

import { runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';
import { startServer } from './support/server.ts';

describe('serve', () => {
  it('serves a folder; every stream command works over HTTP', async () => {
    const { url, cli } = await startServer(['--dir', await temporaryFolder()]);
    expect(cli.stderr()).toMatch(/^Serving \/.* to this machine, without a token\. Ctrl-C stops\.\n$/);
    const env = { PERENNIAL_URL: url };
    expect(
      (await runCli(['append', 'a/../b c', '-', '--json'], { env, input: '{"n":1.0}\n12345678901234567890\n' })).code,
    ).toBe(0);
    expect((await runCli(['tail', 'a/../b c', '--no-follow'], { env })).stdout).toBe(
      '{"n":1.0}\n12345678901234567890\n',
    );
    expect((await runCli(['tail', 'a/../b c', '--no-follow', '--last', '1'], { env })).stdout).toBe(
      '12345678901234567890\n',
    );
    expect((await runCli(['ls', 'a'], { env })).stdout).toMatch(/^open {2}2 {2}\S+ {2}a\/\.\.\/b c\n$/);
    expect((await runCli(['inspect', 'a/../b c', '--json'], { env })).stdout).toContain('"nextPosition":2');
    expect(await runCli(['cancel', 'a/../b c', '--reason', 'enough'], { env })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Asked the producer of a/../b c to stop.\n',
    });
    expect((await runCli(['inspect', 'a/../b c'], { env })).stdout).toMatch(/cancel request {2}\S+, enough\n/);
    expect((await runCli(['rm', 'a/../b c', '--yes'], { env })).code).toBe(0);
    expect((await runCli(['tail', 'a/../b c'], { env })).code).toBe(3);
  });

  it('ends in good order: readers are told, the folder is free again', async () => {
    const directory = await temporaryFolder();
    const { url, cli } = await startServer(['--dir', directory]);
    await runCli(['append', 's', 'one', '--url', url]);
    const response = await fetch(`${url}/s?live=sse&offset=-1`);
    cli.child.kill('SIGTERM');
    // The body ends; it is not broken off.
    expect(await response.text()).toContain('["one"]');
    expect(await cli.done).toMatchObject({
      code: 0,
      stdout: `${url}\n`,
      stderr: expect.stringMatching(/Stopping\.\n$/),
    });
    await expect(stat(join(directory, 'endpoint.json'))).rejects.toThrow('ENOENT');
    expect((await runCli(['append', 's', 'two', '--dir', directory])).stderr).toBe(
      'Appended 1 record to s; the next position is 2.\n',
    );
  });

  it('wants its token', async () => {
    const { url } = await startServer(['--dir', await temporaryFolder(), '--host', '127.0.0.1'], {
      env: { PERENNIAL_TOKEN: 'open sesame' },
    });
    const args = ['append', 's', 'x', '--url', url];
    expect(await runCli(args, { env: { PERENNIAL_TOKEN: 'open sesame' } })).toMatchObject({ code: 0 });
    expect(await runCli([...args, '--token', 'open sesame'])).toMatchObject({ code: 0 });
    for (const flags of [[], ['--token', 'wrong']]) {
      const { code, stdout, stderr } = await runCli([...args, ...flags]);
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
      expect(stderr).toContain("Pass the server's token in PERENNIAL_TOKEN or with --token.");
    }
    expect((await runCli(['tail', 's', '--url', url])).code).toBe(6);
    expect((await fetch(`${url}/s`)).status).toBe(401);
    // A preflight cannot carry a token, and tells nothing.
    expect((await fetch(`${url}/s`, { method: 'OPTIONS' })).ok).toBe(true);
  });

  it('without a token answers to this machine only', async () => {
    const { url } = await startServer(['--dir', await temporaryFolder()]);
    const port = Number(new URL(url).port);
    const { request } = await import('node:http');
    const asked = request({ host: '127.0.0.1', port, path: '/s', headers: { Host: 'evil.example' } }).end();
    const [response] = (await once(asked, 'response')) as [{ readonly statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(403);
    expect((await fetch(`${url}/s`, { headers: { Authorization: 'Bearer guess' } })).status).toBe(401);
  });

  it('on all addresses of the machine is found on this one', async () => {
    const directory = await temporaryFolder();
    const env = { PERENNIAL_TOKEN: 'secret' };
    const { url } = await startServer(['--dir', directory, '--host', '0.0.0.0'], { env });
    const port = new URL(url).port;
    expect((await runCli(['append', 's', 'x', '--dir', directory])).stderr).toContain(`at http://127.0.0.1:${port}.`);
  });

  it('below a path, for pages of one origin', async () => {
    const { url } = await startServer([
      '--dir',
      await temporaryFolder(),
      '--path',
      '/v1/stream',
      '--cors',
      'https://app.example',
    ]);
    expect(url).toMatch(/\/v1\/stream$/);
    const response = await fetch(`${url}/s`, { method: 'PUT', headers: { Origin: 'https://app.example' } });
    expect(response.status).toBe(201);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example');
  });

  it('says which port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = String(typeof address === 'object' && address ? address.port : 0);
    const { code, stdout, stderr } = await runCli(['serve', '--dir', await temporaryFolder(), '--port', port]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `error: Port ${port} on 127.0.0.1 is in use.\nPass another --port, or --port 0 for a free one.\n`,
    );
  });
});

describe('a folder that another process writes to', () => {
  it('is written through the process that serves it', async () => {
    const directory = await temporaryFolder();
    const { url, cli } = await startServer(['--dir', directory], { env: { PERENNIAL_TOKEN: 'secret' } });
    expect((await stat(join(directory, 'endpoint.json'))).mode & 0o777).toBe(0o600);
    const result = await runCli(['append', 's', 'x', '--dir', directory]);
    expect(result).toMatchObject({
      code: 0,
      stderr: `Through process ${cli.child.pid}, which serves ${directory} at ${url}.\nAppended 1 record to s; the next position is 1.\n`,
    });
    // Reading needs nobody.
    expect((await runCli(['tail', 's', '--no-follow', '--dir', directory])).stdout).toBe('"x"\n');
    expect((await runCli(['rm', 's', '-yq', '--dir', directory])).code).toBe(0);
  });

  it('is written through the URL that the config names', async () => {
    const directory = await temporaryFolder();
    const { url } = await startServer(['--dir', directory, '--path', '/api']);
    const project = await temporaryFolder();
    const { writeFile } = await import('node:fs/promises');
    await writeFile(
      join(project, 'perennial.config.mjs'),
      `export default { store: ${JSON.stringify({ directory, url })} };`,
    );
    expect((await runCli(['append', 's', 'x'], { cwd: project })).stderr).toBe(
      'Appended 1 record to s; the next position is 1.\n',
    );
  });

  it('is refused with the owner and what to do, where that process cannot be reached', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({ directory });
    await store.create('s', { records: [{ data: '1' }] });
    onTestFinished(() => store.close());
    for (const args of [
      ['append', 's', 'x'],
      ['rm', 's', '--yes'],
      ['serve', '--port', '0'],
    ]) {
      const { code, stdout, stderr } = await runCli([...args, '--dir', directory]);
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(stderr).toContain(`is being written by process ${process.pid} on host `);
      expect(stderr).toContain('perennial serve --dir');
    }
    // Reads and cancel requests work all the same.
    expect((await runCli(['tail', 's', '--no-follow', '--dir', directory])).stdout).toBe('1\n');
    expect((await runCli(['cancel', 's', '--reason', 'enough', '--dir', directory])).code).toBe(0);
    expect((await store.wait('s', { position: Infinity, cancel: true })).cancel?.reason).toBe('enough');
  });

  it('is not taken by a command that only looks, also where it finds a dead producer', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({ directory });
    await store.create('s', { leaseMs: 50, records: [{ data: '1' }] });
    await store.close();
    const tail = startCli(['tail', 's', '--dir', directory]);
    await tail.sees('The producer shows no sign of life.', 'stderr');
    expect((await runCli(['append', 's', 'x', '--close', '--dir', directory])).code).toBe(0);
    expect(await tail.done).toMatchObject({ code: 0, stdout: '1\n"x"\n' });
  });

  it('a server that was killed leaves nothing in the way', async () => {
    const directory = await temporaryFolder();
    const { cli } = await startServer(['--dir', directory]);
    cli.child.kill('SIGKILL');
    await cli.done;
    expect((await runCli(['append', 's', 'x', '--dir', directory])).stderr).toBe(
      'Appended 1 record to s; the next position is 1.\n',
    );
  });
});

describe('a server that is killed', () => {
  it('tail goes on where it was, once there is a server again', async () => {
    const directory = await temporaryFolder();
    const first = await startServer(['--dir', directory]);
    await runCli(['append', 's', '--url', first.url], { input: 'one\ntwo\n' });
    const tail = startCli(['tail', 's', '--url', first.url]);
    await tail.sees('"one"\n"two"\n');
    first.cli.child.kill('SIGKILL');
    await first.cli.done;
    await tail.sees('The connection was lost', 'stderr');
    const second = await startServer(['--dir', directory], { port: Number(new URL(first.url).port) });
    expect((await runCli(['append', 's', '--url', second.url, '--close'], { input: 'three\nfour\n' })).code).toBe(0);
    const { code, stdout, stderr } = await tail.done;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"one"\n"two"\n"three"\n"four"\n' });
    expect(stderr).toContain('Connected again, at position 2.\n');
  });

  it('append sends again what was not answered, and stores it once', async () => {
    const directory = await temporaryFolder();
    const first = await startServer(['--dir', directory]);
    const append = startCli(['append', 's', '--url', first.url, '--close'], { input: null });
    for (let i = 0; i < 500; i++) append.child.stdin?.write(`${i}\n`);
    const store = createHttpStore({ url: first.url });
    await expect
      .poll(async () => (await store.head('s').catch(() => null))?.nextPosition ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(0);
    first.cli.child.kill('SIGKILL');
    for (let i = 500; i < 1_000; i++) append.child.stdin?.write(`${i}\n`);
    append.child.stdin?.end();
    await first.cli.done;
    const second = await startServer(['--dir', directory], { port: Number(new URL(first.url).port) });
    expect(await append.done).toMatchObject({
      code: 0,
      stderr: 'Appended 1000 records to s; the stream is closed now.\n',
    });
    const { stdout } = await runCli(['tail', 's', '--url', second.url]);
    expect(stdout).toBe(Array.from({ length: 1_000 }, (_, i) => `"${i}"\n`).join(''));
  });
});
