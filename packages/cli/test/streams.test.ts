import { createFileStreamStore } from '@perennial/store-file';
import { describe, expect, it } from 'vitest';

import { runCli, startCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';

const quiet = { stderr: '' };

describe('append and tail on a folder', () => {
  it('keeps values as they were written', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    const values = ['{"x":1.0,"big":12345678901234567890}', '1e2', '"a\\u001b[31mb"', '-0', 'null'];
    expect(await runCli(['append', 's', '--json'], { env, input: `${values.join('\n')}\n\n` })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Appended 5 records to s; the next position is 5.\n',
    });
    expect(await runCli(['tail', 's', '--no-follow'], { env })).toEqual({
      code: 0,
      stdout: `${values.join('\n')}\n`,
      ...quiet,
    });
  });

  it('one value, the lines of a file, and the end', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    await runCli(['append', 'a/b', 'Hello "world"'], { env });
    const appended = await runCli(['append', 'a/b', '-', '--close'], { env, input: 'one\r\n\ntwo\nlast' });
    expect(appended.stderr).toBe('Appended 4 records to a/b; the stream is closed now.\n');
    expect(await runCli(['tail', 'a/b'], { env })).toEqual({
      code: 0,
      stdout: '"Hello \\"world\\""\n"one"\n""\n"two"\n"last"\n',
      stderr: 'The stream ended at position 5: completed.\n',
    });
    expect((await runCli(['tail', 'a/b', '--raw'], { env })).stdout).toBe('Hello "world"onetwolast');
    expect((await runCli(['tail', 'a/b', '--from', '3'], { env })).stdout).toBe('"two"\n"last"\n');
    expect(await runCli(['tail', 'a/b', '--last', '1', '-q'], { env })).toEqual({
      code: 0,
      stdout: '"last"\n',
      ...quiet,
    });
    const refused = await runCli(['append', 'a/b', 'late'], { env });
    expect(refused).toEqual({ code: 7, stdout: '', stderr: 'error: Stream a/b has ended (completed).\n' });
  });

  it('--json has records, retractions and the end', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({ directory, now: () => 1_000 });
    await store.create('s', {
      records: [
        { data: '"a"', step: 'draft', attempt: 1 },
        { kind: 'supersede', step: 'draft', belowAttempt: 2 },
        { data: '2', step: 'draft', attempt: 2 },
      ],
      end: { outcome: 'failed', error: { code: 'TIMEOUT', message: 'too slow', stack: 'secret', public: true } },
    });
    await store.close();
    const { code, stdout, stderr } = await runCli(['tail', 's', '--json', '--dir', directory]);
    expect(stdout.trim().split('\n')).toEqual([
      '{"type":"data","position":0,"timestamp":1000,"value":"a","step":"draft","attempt":1}',
      '{"type":"supersede","position":1,"timestamp":1000,"step":"draft","belowAttempt":2}',
      '{"type":"data","position":2,"timestamp":1000,"value":2,"step":"draft","attempt":2}',
      '{"type":"end","position":3,"outcome":"failed","error":{"code":"TIMEOUT","message":"too slow"}}',
    ]);
    expect({ code, stderr }).toEqual({
      code: 10,
      stderr: 'The stream ended at position 3: failed: TIMEOUT: too slow.\n',
    });
    const lines = await runCli(['tail', 's', '--dir', directory]);
    expect(lines.stderr).toContain('Retracted: what step draft wrote before attempt 2.');
  });

  it('--wait waits for a stream that is not there yet, and only so long', async () => {
    const directory = await temporaryFolder();
    const tail = startCli(['tail', 's', '--wait', '20', '--dir', directory]);
    await tail.sees('Waiting for the stream.\n', 'stderr');
    await runCli(['append', 's', 'x', '--close', '--dir', directory]);
    expect(await tail.done).toEqual({
      code: 0,
      stdout: '"x"\n',
      stderr: 'Waiting for the stream.\nThe stream ended at position 1: completed.\n',
    });
    expect(await runCli(['tail', 'other', '--wait', '0.1', '--dir', directory])).toMatchObject({ code: 3, stdout: '' });
  });

  it('a cancelled stream has an exit code of its own', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({ directory });
    await store.create('s', { end: { outcome: 'cancelled', reason: 'enough' } });
    await store.close();
    expect(await runCli(['tail', 's', '--dir', directory])).toEqual({
      code: 11,
      stdout: '',
      stderr: 'The stream ended at position 0: cancelled: enough.\n',
    });
  });

  it('bytes stay bytes', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    const input = Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0xa9, 0x0a]);
    await runCli(['append', 'b', '--content-type', 'text/plain'], { env, input });
    expect((await runCli(['tail', 'b', '--no-follow'], { env })).stdout).toBe(
      `"base64:${Buffer.from([0x61, 0xff, 0x0a]).toString('base64')}"\n"é\\n"\n`,
    );
    const json = await runCli(['tail', 'b', '--no-follow', '--json'], { env });
    expect(json.stdout.split('\n').map((line) => line && Object.keys(JSON.parse(line)).at(-1))).toEqual([
      'base64',
      'text',
      '',
    ]);
    const raw = startCli(['tail', 'b', '--no-follow', '--raw'], { env });
    const bytes: Buffer[] = [];
    raw.child.stdout
      ?.removeAllListeners('data')
      .setEncoding('latin1')
      .on('data', (text: string) => bytes.push(Buffer.from(text, 'latin1')));
    await raw.done;
    expect(Buffer.concat(bytes)).toEqual(input);
    const wrong = await runCli(['append', 'b', '1', '--json'], { env });
    expect(wrong).toMatchObject({
      code: 2,
      stderr: 'error: The value cannot be JSON: the stream is text/plain. Nothing was stored.\n',
    });
  });

  it('input that is no JSON or no UTF-8 is named by its line, and what came before is stored', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    const broken = await runCli(['append', 's', '--json'], { env, input: '1\n{"a":\n3\n' });
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/^error: Line 2 is no JSON \(.*\)\. 1 record before it is stored\.\n$/);
    const bytes = await runCli(['append', 's'], { env, input: Buffer.from([0xff, 0x0a]) });
    expect(bytes).toMatchObject({ code: 2, stderr: 'error: Line 1 is not UTF-8. Nothing was stored.\n' });
    expect((await runCli(['tail', 's', '--no-follow'], { env })).stdout).toBe('1\n');
  });

  it('a producer that repeats itself stores nothing twice', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    const run = (input: string, ...flags: string[]): Promise<{ readonly stderr: string }> =>
      runCli(['append', 'import', '--producer', 'import-7', ...flags], { env, input });
    expect((await run('a\nb\n')).stderr).toBe('Appended 2 records to import; the next position is 2.\n');
    expect((await run('a\nb\nc\n')).stderr).toBe(
      'Appended 1 record to import; 2 records were there already; the next position is 3.\n',
    );
    await run('a\nb\nc\n', '--close');
    expect(await run('a\nb\nc\n', '--close')).toMatchObject({
      code: 0,
      stderr: 'Appended 0 records to import; 3 records were there already; the stream is closed now.\n',
    });
    expect((await runCli(['tail', 'import'], { env })).stdout).toBe('"a"\n"b"\n"c"\n');
  });

  it('lines are stored as they come, and Ctrl-C keeps them', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    const open = startCli(['append', 'open', '--close'], { env, input: null });
    open.child.stdin?.write('one\ntwo\nhalf');
    const reading = startCli(['tail', 'open', '--wait', '20'], { env });
    await reading.sees('"one"\n"two"\n');
    open.child.kill('SIGINT');
    const result = await open.done;
    expect(result).toMatchObject({ code: 130, stderr: 'Appended 2 records to open; the next position is 2.\n' });
    reading.child.kill('SIGINT');
    expect(await reading.done).toEqual({
      code: 130,
      stdout: '"one"\n"two"\n',
      stderr: expect.stringMatching(
        /^(Waiting for the stream\.\n)?Stopped; the stream is still open\. Go on with --from 2\.\n$/,
      ),
    });
  });
});

describe('ls, inspect and rm on a folder', () => {
  it('lists in order, by prefix, at most so many', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({ directory, now: () => Date.UTC(2026, 0, 2, 3, 4, 5), durability: 'os' });
    for (let i = 0; i < 450; i++) await store.create(`n/${String(i).padStart(3, '0')}`);
    await store.create('a', { records: [{ data: '1' }], end: { outcome: 'completed' } });
    await store.create('evil\u001b]0;title\u0007');
    await store.close();
    const env = { PERENNIAL_DIR: directory };
    expect((await runCli(['ls', 'a'], { env })).stdout).toBe('completed  1  2026-01-02T03:04:05Z  a\n');
    expect((await runCli(['ls', 'evil'], { env })).stdout).toBe(
      'open  0  2026-01-02T03:04:05Z  evil\\u001b]0;title\\u0007\n',
    );
    const all = await runCli(['ls', 'n/', '--json'], { env });
    expect(
      all.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly id: string }).id),
    ).toEqual(Array.from({ length: 450 }, (_, i) => `n/${String(i).padStart(3, '0')}`));
    expect((await runCli(['ls', 'n/', '--limit', '201'], { env })).stdout.trim().split('\n')).toHaveLength(201);
    expect(await runCli(['ls', 'zzz'], { env })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No stream begins with zzz.\n',
    });
  });

  it('shows all about a stream', async () => {
    const directory = await temporaryFolder();
    const store = createFileStreamStore({
      directory,
      now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
      randomId: () => 'random',
    });
    await store.create('s', { leaseMs: 15_000, expiresAt: Date.UTC(2126, 0, 1), token: 3 });
    await store.append('s', {
      token: 3,
      segments: [{ records: [{ data: '1' }, { data: '2' }], producer: { id: 'p', epoch: 1, seq: 0 } }],
    });
    await store.mark('s', { type: 'cancel', reason: 'enough' });
    await store.close();
    const { stdout } = await runCli(['inspect', 's', '--dir', directory]);
    await expect(stdout).toMatchFileSnapshot('golden/inspect.txt');
    const json = await runCli(['inspect', 's', '--dir', directory, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      id: 's',
      nextPosition: 2,
      token: 3,
      cancel: { reason: 'enough' },
      lease: { durationMs: 15_000 },
      producers: [{ id: 'p', epoch: 1, nextSeq: 2 }],
    });
  });

  it('deletes only when told to, and says what was not there', async () => {
    const env = { PERENNIAL_DIR: await temporaryFolder() };
    await runCli(['append', 's', 'x'], { env });
    expect(await runCli(['rm', 's'], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: Nothing was deleted: there is no terminal to ask on.\nPass --yes.\n',
    });
    expect(await runCli(['rm', 'other', 's', '--yes'], { env })).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Deleted s\.\nerror: Stream "other" does not exist\./),
    });
    expect((await runCli(['ls'], { env })).stderr).toBe('There are no streams.\n');
  });
});
