/**
 * `npm run inline`: writes the Lua files in `lua/` into `src/scripts/sources.generated.ts`, with includes resolved (each once in a script)
 * and comments left out, each with the SHA-1 that EVALSHA wants. A test fails when the result is stale.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(home, 'lua');
export const target = join(home, 'src', 'scripts', 'sources.generated.ts');

/** The text of the generated module. */
export function generate() {
  const scripts = readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .toSorted()
    .map((file) => script(file.slice(0, -'.lua'.length), load(file, new Set())));
  return `${[
    '// Generated from lua/ by `npm run inline`. Do not edit.',
    "import type { RedisScript } from './redis-script.ts';",
    ...scripts,
  ].join('\n\n')}\n`;
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

function script(name, source) {
  if (/`|\$\{/.test(source)) throw new Error(`lua/${name}.lua may not contain backticks or \${.`);
  const sha = createHash('sha1').update(source).digest('hex');
  return `/** lua/${name}.lua */\nexport const ${name}Script: RedisScript = {\n  name: '${name}',\n  sha: '${sha}',\n  source: String.raw\`${source}\`,\n};`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, generate());
