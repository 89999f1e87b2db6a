import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

const PROJECT = fileURLToPath(new URL('fixtures', import.meta.url));
const FULL = Array.from({ length: 150 }, (_, i) => `w${i} `).join('');

describe('actor list', () => {
  it('lists the actors of the configuration', async () => {
    expect(await runCli(['actor', 'list'], { cwd: PROJECT })).toEqual({
      code: 0,
      stdout:
        'chat-agent  streams  Answers in words\nsteps       streams\necho        streams\nfails       streams\ndeaf        streams\n',
      stderr: '',
    });
    const json = await runCli(['actor', 'list', '--json'], { cwd: PROJECT });
    expect(json.stdout.split('\n')[0]).toBe('{"type":"chat-agent","streaming":true,"description":"Answers in words"}');
  });

  it('wants a configuration', async () => {
    const { code, stderr } = await runCli(['actor', 'list'], { cwd: await temporaryFolder() });
    expect(code).toBe(2);
    expect(stderr).toContain('There is no perennial.config.ts in /');
    expect(stderr).toContain('export default defineConfig');
  });
});

describe('actor run', () => {
  it('tells progress in plain lines where there is no terminal, and writes the result', async () => {
    const { code, stdout, stderr } = await runCli(['actor', 'run', 'chat-agent', '--stream'], { cwd: PROJECT });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${JSON.stringify({ fullResponse: FULL })}\n` });
    expect(stderr).toMatch(
      /^Processing\.\.\.\nGenerated 50 tokens\.\.\.\nGenerated 100 tokens\.\.\.\nGenerated 150 tokens\.\.\.\nComplete! \(150 tokens(, \S+ tokens\/s)?, \S+ m?s\)\n$/,
    );
  });

  it('without --stream waits for the result', async () => {
    const run = await runCli(['actor', 'run', 'chat-agent', '-q', '--input', '{"tokens":2}'], { cwd: PROJECT });
    expect(run).toEqual({ code: 0, stdout: '{"fullResponse":"w0 w1 "}\n', stderr: '' });
  });

  it('--json writes each chunk, as it comes', async () => {
    const run = startCli(
      ['actor', 'run', 'chat-agent', '--stream', '--json', '--input', '{"tokens":100000,"pauseMs":20}'],
      { cwd: PROJECT },
    );
    await run.sees('{"type":"data","data":{"token":"w3 "}}\n');
    run.child.kill('SIGINT');
    const { code, stdout } = await run.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/\n\{"type":"cancelled"\}\n$/);
    const whole = await runCli(['actor', 'run', 'steps', '--stream', '--json', '-q'], { cwd: PROJECT });
    expect(
      whole.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly type: string }).type),
    ).toEqual(['start', 'progress', 'data', 'progress', 'data', 'progress', 'data', 'complete']);
  });

  it('shows how far an actor says it is, with its control characters disarmed', async () => {
    const { stderr } = await runCli(['actor', 'run', 'steps', '--stream'], { cwd: PROJECT });
    expect(stderr).toContain('1/3 step 1\\u001b[2J\n2/3 step 2\\u001b[2J\n');
    expect(stderr).toContain('Complete! (3 results');
  });

  it.each(['inline', 'file', 'stdin'])('takes its input from %s', async (way) => {
    const folder = await temporaryFolder();
    const file = join(folder, 'input.json');
    await writeFile(file, '{"a":[1]}');
    const given = way === 'inline' ? '{"a":[1]}' : way === 'file' ? `@${file}` : '-';
    const options = { cwd: PROJECT, ...(way === 'stdin' && { input: '{"a":[1]}' }) };
    expect(await runCli(['actor', 'run', 'echo', '-q', '--input', given], options)).toEqual({
      code: 0,
      stdout: '{"a":[1]}\n',
      stderr: '',
    });
  });

  it.each([
    { input: '{a:1}', says: 'The value of --input is no JSON' },
    { input: '@nothing.json', says: /nothing\.json cannot be read: ENOENT/ },
  ])('refuses the input $input', async ({ input, says }) => {
    const { code, stdout, stderr } = await runCli(['actor', 'run', 'echo', '--input', input], { cwd: PROJECT });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
  });

  it('a failure has its code and an exit code', async () => {
    const { code, stdout, stderr } = await runCli(['actor', 'run', 'fails', '--stream'], { cwd: PROJECT });
    expect({ code, stdout }).toEqual({ code: 10, stdout: '' });
    expect(stderr).toBe('Processing...\nFailed after 1 token: AI_UNREACHABLE: the model is away\n');
    const json = await runCli(['actor', 'run', 'fails', '--stream', '--json', '-q'], { cwd: PROJECT });
    expect(json.stdout).toContain('{"type":"error","error":{"code":"AI_UNREACHABLE","message":"the model is away"');
  });

  it('an actor that is not there', async () => {
    const { code, stderr } = await runCli(['actor', 'run', 'nobody'], { cwd: PROJECT });
    expect(code).toBe(3);
    expect(stderr).toBe('error: There is no actor "nobody".\nThere are: chat-agent, steps, echo, fails, deaf.\n');
  });

  it('Ctrl-C cancels and says so; the actor learns of it', async () => {
    const events = join(await temporaryFolder(), 'events');
    const input = '{"tokens":100000,"pauseMs":10}';
    const run = startCli(['actor', 'run', 'chat-agent', '--stream', '--input', input], {
      cwd: PROJECT,
      env: { EVENTS: events },
    });
    await run.sees('Generated 50 tokens...', 'stderr');
    run.child.kill('SIGINT');
    const { code, stdout, stderr } = await run.done;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/\nCancelled after \d+ tokens\.\n$/);
    expect(await readFile(events, 'utf8')).toBe(`${run.child.pid} begun\n${run.child.pid} cancelled\n`);
  });

  it.each([[], ['--stream']])('Ctrl-C does not wait for an actor that does not listen %s', async (...flags) => {
    const run = startCli(['actor', 'run', 'deaf', ...flags], { cwd: PROJECT });
    await run.sees('Processing...', 'stderr');
    run.child.kill('SIGTERM');
    expect(await run.done).toMatchObject({ code: 143, stderr: 'Processing...\nCancelled after 0 tokens.\n' });
  });
});

describe('the configuration', () => {
  it.each([
    { text: 'export default 7', says: 'its default export must be an object; got 7.' },
    { text: 'export const config = {}', says: 'it has no default export. Write `export default defineConfig({ … })`.' },
    { text: 'export default { stores: {} }', says: '`stores` is not an option. There are: store, actors' },
    { text: 'export default { store: 7 }', says: '`store` must be an object or a function; got 7.' },
    { text: 'export default { store: {} }', says: '`store` must have one of `directory`, `redis` and `url`' },
    {
      text: 'export default { store: { directory: "x", ttl: 3 } }',
      says: '`store.ttl` is not an option. There are: directory',
    },
    {
      text: 'export default { store: { directory: 3 } }',
      says: '`store.directory` must be a non-empty string; got 3.',
    },
    { text: 'export default { store: { url: "x" } }', says: '`store.url` must be an absolute http(s) URL; got "x".' },
    {
      text: 'export default { store: { redis: "http://x" } }',
      says: '`store.redis` must be a redis:// or rediss:// URL',
    },
    {
      text: 'export default { store: { directory: "x", durability: "maybe" } }',
      says: "`store.durability` is 'disk' or 'os'",
    },
    { text: 'export default { store: () => { throw new Error("no disk") } }', says: '`store` threw: no disk' },
    { text: 'export default { store: () => 7 }', says: '`store` must return a stream store.' },
    { text: 'export default { queue: { prefix: "x" } }', says: '`queue.redis` is missing.' },
    { text: 'import "./missing"', says: 'Relative imports name the file with its ending' },
    { text: 'enum E { A }; export default {}', says: 'Node only strips types: enums' },
    { text: 'export default {', says: 'it cannot be loaded' },
    { text: 'throw new Error("boom")', says: 'it cannot be loaded: boom' },
  ])('$text', async ({ text, says }) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'package.json'), '{"type":"module"}');
    await writeFile(join(cwd, 'perennial.config.ts'), text);
    const { code, stdout, stderr } = await runCli(['ls'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(join(cwd, 'perennial.config.ts'));
    expect(stderr).toContain(says);
  });

  it.each([
    { text: 'export default { actors: 7 }', says: '`actors` must be an object or a registry; got 7.' },
    { text: 'export default { actors: { a: {} } }', says: 'The actor of type "a" must have `execute` and `stream`' },
    { text: 'export default { address: "" }', says: '`address` must be a non-empty string' },
  ])('of actors: $text', async ({ text, says }) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'perennial.config.mts'), text);
    const { code, stderr } = await runCli(['actor', 'list'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(cwd, 'perennial.config.mts')}: `);
    expect(stderr).toContain(says);
  });

  it('is found above the working directory; its paths count from it; flags and variables come first', async () => {
    const project = await temporaryFolder();
    const below = join(project, 'a', 'b');
    await cp(PROJECT, below, { recursive: true, filter: (path) => !path.endsWith('.config.ts') });
    await writeFile(join(project, 'perennial.config.mjs'), 'export default { store: { directory: "streams" } };');
    expect((await runCli(['append', 's', 'x'], { cwd: below })).code).toBe(0);
    expect((await runCli(['tail', 's', '--no-follow', '--dir', join(project, 'streams')])).stdout).toBe('"x"\n');
    const other = await temporaryFolder();
    expect((await runCli(['ls'], { cwd: below, env: { PERENNIAL_DIR: other } })).stdout).toBe('');
    expect(
      (
        await runCli(['ls', '--config', join(project, 'perennial.config.mjs')], {
          cwd: other,
          env: { PERENNIAL_DIR: other },
        })
      ).stdout,
    ).toContain(' s\n');
    const missing = await runCli(['ls', '--config', 'nothing.ts'], { cwd: other });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing.ts: there is no such file.') });
  });

  it('says what a package.json of CommonJS needs', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'package.json'), '{"type":"commonjs"}');
    await writeFile(join(cwd, 'perennial.config.ts'), "import 'node:fs';\nexport default {};");
    expect((await runCli(['ls'], { cwd })).stderr).toContain(
      'Name the file perennial.config.mts, or set "type": "module".',
    );
  });
});
