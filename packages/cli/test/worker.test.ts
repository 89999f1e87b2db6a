import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type RedisServer, startRedis } from '@perennial/redis-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type RunningCli, runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

const PROJECT = fileURLToPath(new URL('fixtures', import.meta.url));
const words = (count: number): string => Array.from({ length: count }, (_, i) => `w${i} `).join('');

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ config: { appendonly: 'yes' } });
}, 120_000);
afterAll(() => redis?.stop());

interface Rig {
  readonly options: { readonly cwd: string; readonly env: Record<string, string> };
  readonly address: string;
  startWorker(...flags: string[]): Promise<RunningCli>;
  events(): Promise<string>;
}

async function rig(env: Readonly<Record<string, string>> = {}): Promise<Rig> {
  const address = `a${crypto.randomUUID()}`;
  const file = join(await temporaryFolder(), 'events');
  const options = { cwd: PROJECT, env: { PERENNIAL_REDIS: redis.url, EVENTS: file, ...env } };
  return {
    options,
    address,
    async startWorker(...flags) {
      const worker = startCli(['worker', '--address', address, ...flags], options);
      await worker.sees('Working on ', 'stderr');
      return worker;
    },
    events: () => readFile(file, 'utf8').catch(() => ''),
  };
}

describe('worker', () => {
  it('runs an actor for a caller in another process', async () => {
    const { options, address, startWorker } = await rig();
    const worker = await startWorker('--concurrency', '2');
    expect(worker.stderr()).toBe(
      `Working on ${address}, 2 at a time: chat-agent, steps, echo, fails, deaf. Ctrl-C drains.\n`,
    );
    const run = await runCli(['actor', 'run', 'chat-agent', '--stream', '--remote', '--address', address], options);
    expect(run).toMatchObject({ code: 0, stdout: `${JSON.stringify({ fullResponse: words(150) })}\n` });
    expect(run.stderr).toContain('Generated 100 tokens...\n');
    const echo = await runCli(
      ['actor', 'run', 'echo', '-q', '--remote', '--address', address, '--input', '[1]'],
      options,
    );
    expect(echo).toEqual({ code: 0, stdout: '[1]\n', stderr: '' });
    const fails = await runCli(['actor', 'run', 'fails', '--stream', '--remote', '--address', address], options);
    expect(fails).toMatchObject({ code: 10, stderr: expect.stringContaining('AI_UNREACHABLE: the model is away') });
    const nobody = await runCli(['actor', 'run', 'nobody', '--stream', '--remote', '--address', address], options);
    expect(nobody).toMatchObject({ code: 3, stderr: expect.stringContaining('UNKNOWN_ACTOR') });
    worker.child.kill('SIGTERM');
    expect(await worker.done).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/Draining for up to 30 s.*\nStopped\.\n$/),
    });
  }, 60_000);

  it.each([[], ['--stream']])(
    'Ctrl-C of the caller reaches the actor in the worker %s',
    async (...flags) => {
      const { options, address, startWorker, events } = await rig();
      const worker = await startWorker();
      const input = '{"tokens":100000,"pauseMs":10}';
      const run = startCli(
        ['actor', 'run', 'chat-agent', ...flags, '--remote', '--address', address, '--input', input],
        options,
      );
      await expect.poll(events, { timeout: 20_000 }).toContain(`${worker.child.pid} begun`);
      run.child.kill('SIGINT');
      expect(await run.done).toMatchObject({
        code: 130,
        stderr: expect.stringMatching(/Cancelled after \d+ tokens?\.\n$/),
      });
      await expect.poll(events, { timeout: 20_000 }).toContain(`${worker.child.pid} cancelled`);
    },
    60_000,
  );

  it('SIGTERM finishes what was begun', async () => {
    const { options, address, startWorker, events } = await rig();
    const worker = await startWorker();
    const input = '{"tokens":60,"pauseMs":20}';
    const run = startCli(
      ['actor', 'run', 'chat-agent', '--stream', '--remote', '--address', address, '--input', input],
      options,
    );
    await expect.poll(events, { timeout: 20_000 }).toContain('begun');
    worker.child.kill('SIGTERM');
    expect(await run.done).toMatchObject({ code: 0, stdout: `${JSON.stringify({ fullResponse: words(60) })}\n` });
    expect((await worker.done).code).toBe(0);
    expect(await events()).toBe(`${worker.child.pid} begun\n${worker.child.pid} finished\n`);
  }, 60_000);

  it('that is killed leaves its job to another one; the caller gets each token once', async () => {
    const { options, address, startWorker, events } = await rig({ LOCK_MS: '1000' });
    const first = await startWorker();
    const input = '{"tokens":200,"pauseMs":20}';
    const args = ['actor', 'run', 'chat-agent', '--stream', '--json', '-q', '--remote', '--address', address];
    const run = startCli([...args, '--input', input], options);
    await run.sees('"w20 "');
    first.child.kill('SIGKILL');
    const second = await startWorker();
    const { code, stdout } = await run.done;
    expect(code).toBe(0);
    const chunks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly data: { readonly token: string } });
    const tokens = chunks.filter(({ type }) => type === 'data').map(({ data }) => data.token);
    expect(tokens.join('')).toBe(words(200));
    expect(await events()).toBe(`${first.child.pid} begun\n${second.child.pid} begun\n${second.child.pid} finished\n`);
  }, 60_000);

  it('wants actors, and a queue that others can hear', async () => {
    const folder = await temporaryFolder();
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(folder, 'perennial.config.mjs'), 'export default {};');
    const empty = await runCli(['worker', '--dir', folder], { cwd: folder });
    expect(empty).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`actors` is empty: there is nothing to run.'),
    });
    const actors = 'actors: { a: { execute: async () => 1, stream: async function* () {} } }';
    await writeFile(join(folder, 'perennial.config.mjs'), `export default { ${actors} };`);
    const missing = await runCli(['worker', '--dir', folder], { cwd: folder });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('`queue` is missing.') });
    const memory = '{ durable: false, send() {}, consume() {}, async close() {} }';
    await writeFile(join(folder, 'perennial.config.mjs'), `export default { ${actors}, queue: () => (${memory}) };`);
    const deaf = await runCli(['worker', '--dir', folder], { cwd: folder });
    expect(deaf).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`queue` is in memory: no other process can hear it.'),
    });
  }, 60_000);
});
