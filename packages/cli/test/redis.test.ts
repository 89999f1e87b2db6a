import { type RedisServer, startRedis } from '@perennial/redis-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli, startCli } from './support/cli.ts';
import { startServer } from './support/server.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ config: { appendonly: 'yes' } });
}, 120_000);
afterAll(() => redis?.stop());

describe('streams in Redis', () => {
  it('every stream command works, each in a process of its own', async () => {
    const env = { PERENNIAL_REDIS: redis.url, PERENNIAL_PREFIX: `p${crypto.randomUUID()}` };
    const tail = startCli(['tail', 'a/b', '--wait', '20'], { env });
    expect(await runCli(['append', 'a/b', '--json'], { env, input: '1.0\n{"big":12345678901234567890}\n' })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Appended 2 records to a/b; the next position is 2.\n',
    });
    await tail.sees('1.0\n{"big":12345678901234567890}\n');
    expect((await runCli(['ls'], { env })).stdout).toMatch(/^open {2}2 {2}\S+ {2}a\/b\n$/);
    expect((await runCli(['cancel', 'a/b', '--reason', 'enough'], { env })).code).toBe(0);
    expect((await runCli(['inspect', 'a/b'], { env })).stdout).toMatch(/cancel request {2}\S+, enough\n/);
    expect((await runCli(['append', 'a/b', 'end', '--close'], { env })).code).toBe(0);
    expect(await tail.done).toMatchObject({
      code: 0,
      stdout: '1.0\n{"big":12345678901234567890}\n"end"\n',
      stderr: expect.stringContaining('The stream ended at position 3: completed.\n'),
    });
    expect((await runCli(['rm', 'a/b', '--yes'], { env })).code).toBe(0);
    expect((await runCli(['ls'], { env })).stdout).toBe('');
  });

  it('a prefix keeps streams apart', async () => {
    const prefix = `p${crypto.randomUUID()}`;
    await runCli(['append', 's', 'x', '--redis', redis.url, '--prefix', prefix]);
    expect((await runCli(['tail', 's', '--no-follow', '--redis', redis.url, '--prefix', prefix])).stdout).toBe('"x"\n');
    expect((await runCli(['tail', 's', '--no-follow', '--redis', redis.url, '--prefix', `${prefix}x`])).code).toBe(3);
  });

  it('serve in front of it, twice', async () => {
    const args = ['--redis', redis.url, '--prefix', `p${crypto.randomUUID()}`];
    const [one, two] = [await startServer(args), await startServer(args)];
    const tail = startCli(['tail', 's', '--wait', '20', '--url', one.url]);
    await runCli(['append', 's', '--close', '--url', two.url], { input: 'a\nb\n' });
    expect(await tail.done).toMatchObject({ code: 0, stdout: '"a"\n"b"\n' });
    expect(one.cli.stderr()).not.toContain('endpoint');
  });

  it('tail goes on after the server was killed', async () => {
    const own = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } });
    try {
      const env = { PERENNIAL_REDIS: own.url };
      await runCli(['append', 's', 'one'], { env });
      const tail = startCli(['tail', 's'], { env });
      await tail.sees('"one"\n');
      await own.restart();
      await runCli(['append', 's', 'two', '--close'], { env });
      expect(await tail.done).toMatchObject({ code: 0, stdout: '"one"\n"two"\n' });
    } finally {
      await own.stop();
    }
  });

  it('a server that is not there is named, without its password', async () => {
    const { code, stdout, stderr } = await runCli(['ls', '--redis', 'redis://user:secret@127.0.0.1:9']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('redis://127.0.0.1:9');
    expect(stderr).not.toContain('secret');
  });
});
