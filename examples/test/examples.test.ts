/** Each example runs, and prints what it says at its end. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);
const exec = promisify(execFile);

const examples = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/^(test|node_modules)\//.test(path))
  .toSorted();

/** What the comment at the end of an example says that it prints; null without one. */
function promised(path: string): string | null {
  const [, output] = /\/\* Prints:\n([\s\S]*)\*\/\s*$/.exec(readFileSync(join(root, path), 'utf8')) ?? [];
  return output ?? null;
}

describe('an example', () => {
  it('is there', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples)('%s prints what it says', { timeout: 60_000 }, async (path) => {
    const args = ['--conditions=perennial-source', '--disable-warning=ExperimentalWarning', join(root, path)];
    const { stdout } = await exec(process.execPath, args, { timeout: 50_000 });
    expect(stdout).toBe(promised(path));
  });

  it.each(examples)('%s is in the README', (path) => {
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`](${path})`);
  });
});
