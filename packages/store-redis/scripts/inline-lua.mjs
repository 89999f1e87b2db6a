/**
 * `npm run inline`: writes each Lua file in `lua/` as a module into `src/scripts/generated/`, with includes resolved (each once in a script)
 * and comments left out, and with the SHA-1 that EVALSHA wants. A test fails when the result is stale.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(home, 'lua');
export const target = join(home, 'src', 'scripts', 'generated');

/** The text of each generated module, by the name of its file. */
export function generate() {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length));
  return new Map(names.toSorted().map((name) => [`${name}.ts`, moduleOf(name, load(`${name}.lua`, new Set()))]));
}

function load(file, included) {
  if (included.has(file)) return '';
  included.add(file);
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  return lines
    .flatMap((line) => {
      const include = /^-- @include ([\w-]+)$/.exec(line);
      return include ? load(join('include', `${include[1]}.lua`), included).split('\n') : [line];
    })
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('--'))
    .join('\n');
}

function moduleOf(name, source) {
  if (/`|\$\{/.test(source)) throw new Error(`lua/${name}.lua may not contain backticks or \${.`);
  const sha = createHash('sha1').update(source).digest('hex');
  return `// Generated from lua/${name}.lua by \`npm run inline\`. Do not edit.
import type { RedisScript } from '../redis-script.ts';

/** lua/${name}.lua */
export const ${name}Script: RedisScript = {
  name: '${name}',
  sha: '${sha}',
  source: String.raw\`${source}\`,
};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const [file, text] of generate()) writeFileSync(join(target, file), text);
}
