import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { createFileStreamStore } from '@perennial/store-file';
import { describe, expect, it } from 'vitest';

import { runCli } from './support/cli.ts';
import { temporaryFolder } from './support/folder.ts';
import { startOnTerminal } from './support/terminal.ts';

const PROJECT = fileURLToPath(new URL('fixtures', import.meta.url));
const ESCAPE = '\u001b';

async function storeWith(...records: readonly string[]): Promise<Record<string, string>> {
  const directory = await temporaryFolder();
  const store = createFileStreamStore({ directory });
  await store.create('s', { records: records.map((data) => ({ data })), end: { outcome: 'completed' } });
  await store.close();
  return { PERENNIAL_DIR: directory };
}

describe('on a terminal', () => {
  it('actor run shows a spinner, counts, and how it ended', async () => {
    const input = '{"tokens":150,"pauseMs":10}';
    const run = startOnTerminal(['actor', 'run', 'chat-agent', '--stream', '--input', input], { cwd: PROJECT });
    expect(await run.done).toBe(0);
    const text = stripVTControlCharacters(run.shown());
    expect(run.shown()).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏].*Processing\.\.\./);
    expect(text).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \d+ tokens, [\d.]+ tokens\/s/);
    expect(text).toContain('📝 Generated 50 tokens...\r\n');
    expect(text).toContain('📝 Generated 100 tokens...\r\n');
    expect(text).toMatch(/✓ Complete! \(150 tokens, [\d.]+ tokens\/s, [\d.]+ s\)\r\n/);
    // The cursor is back.
    expect(run.shown().lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(run.shown().lastIndexOf(`${ESCAPE}[?25l`));
  });

  it('Ctrl-C cancels, says so and leaves the cursor visible', async () => {
    const input = '{"tokens":100000,"pauseMs":10}';
    const run = startOnTerminal(['actor', 'run', 'chat-agent', '--stream', '--input', input], { cwd: PROJECT });
    await run.sees('Generated 50 tokens...');
    run.type('\u0003');
    expect(await run.done).toBe(130);
    expect(stripVTControlCharacters(run.shown())).toMatch(/■ Cancelled after \d+ tokens\.\r\n$/);
    expect(run.shown().lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(run.shown().lastIndexOf(`${ESCAPE}[?25l`));
  });

  it('rm asks, and takes only a yes', async () => {
    const env = await storeWith('1');
    const no = startOnTerminal(['rm', 's'], { env });
    await no.sees('Delete s with all records?');
    no.type('\r');
    expect(await no.done).toBe(2);
    expect(no.shown()).toContain('Nothing was deleted.');
    const stopped = startOnTerminal(['rm', 's'], { env });
    await stopped.sees('Delete s with all records?');
    stopped.type('\u0003');
    expect(await stopped.done).toBe(130);
    const yes = startOnTerminal(['rm', 's'], { env });
    await yes.sees('Delete s with all records?');
    yes.type('y');
    expect(await yes.done).toBe(0);
    expect(yes.shown()).toContain('Deleted s.');
    expect((await runCli(['ls'], { env })).stdout).toBe('');
  });

  it('tail has positions and colours, and disarms what a writer stored', async () => {
    const env = await storeWith('"plain"', '"evil\u009b31m\u202e"', '{"a":1}');
    const tail = startOnTerminal(['tail', 's'], { env });
    expect(await tail.done).toBe(0);
    expect(tail.shown()).toContain(`${ESCAPE}[2m    0${ESCAPE}[22m  "plain"\r\n`);
    expect(tail.shown()).toContain('"evil\\u009b31m\\u202e"\r\n');
    const raw = startOnTerminal(['tail', 's', '--raw'], { env });
    await raw.done;
    expect(raw.shown()).toContain('plainevil\\u009b31m\\u202e{"a":1}\r\n');
  });

  it('NO_COLOR is honoured', async () => {
    const env = { ...(await storeWith('1')), NO_COLOR: '1' };
    for (const args of [['tail', 's'], ['ls'], ['tail', 'nothing']]) {
      const run = startOnTerminal(args, { env });
      await run.done;
      expect(run.shown()).not.toContain(`${ESCAPE}[`);
    }
  });
});
