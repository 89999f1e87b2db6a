/**
 * `npm run inline`: writes each Lua file in `lua/` as a module into `src/scripts/generated/`, without comments; scripts are put together from
 * their own pieces and the modules of what they include (each once in a script), and have the SHA-1 that EVALSHA wants. A test fails when
 * the result is stale.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(home, 'lua');
export const target = join(home, 'src', 'scripts', 'generated');

/** The text of each generated module, by the name of its file. */
export function generate() {
  const includes = namesIn(join(folder, 'include')).map((name) => [`include/${name}.ts`, includeModule(name)]);
  const scripts = namesIn(folder).map((name) => [`${name}.ts`, scriptModule(name)]);
  return new Map([...includes, ...scripts]);
}

function namesIn(directory) {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length))
    .toSorted();
}

/** What a script is made of, in order: the text of an include, each once, or a piece of its own. */
function partsOf(file, included = new Set()) {
  const parts = [];
  let own = [];
  const close = () => {
    if (own.length > 0) parts.push({ file, text: own.join('\n') });
    own = [];
  };
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
    const [, name] = /^-- @include ([\w-]+)$/.exec(line) ?? [];
    if (name !== undefined) {
      close();
      if (!included.has(name)) parts.push(...partsOf(`include/${name}.lua`, included.add(name)));
    } else if (line.trim() !== '' && !line.trim().startsWith('--')) own.push(line);
  }
  close();
  return parts;
}

function includeModule(name) {
  const file = `include/${name}.lua`;
  const own = partsOf(file).filter((part) => part.file === file);
  if (own.length !== 1) throw new Error(`lua/${file} has to be one piece, with its includes in front.`);
  return `${headerOf(file)}
/** lua/${file} */
export const ${camelCase(name)}: string = ${literal(file, own[0].text)};
`;
}

function scriptModule(name) {
  const file = `${name}.lua`;
  const parts = partsOf(file);
  const source = parts.map(({ text }) => text).join('\n');
  const sha = createHash('sha1').update(source).digest('hex');
  const includes = parts.filter((part) => part.file !== file).map((part) => basename(part.file, '.lua'));
  const imports = includes
    .toSorted()
    .map((include) => `import { ${camelCase(include)} } from './include/${include}.ts';`);
  const pieces = parts.map((part) =>
    part.file === file ? literal(file, part.text) : camelCase(basename(part.file, '.lua')),
  );
  return `${headerOf(file)}import type { RedisScript } from '../redis-script.ts';
${imports.join('\n')}

/** lua/${file} */
export const ${camelCase(name)}Script: RedisScript = {
  name: '${name}',
  sha: '${sha}',
  source: [
${pieces.map((piece) => `    ${piece},\n`).join('')}  ].join('\\n'),
};
`;
}

function headerOf(file) {
  return `// Generated from lua/${file} by \`npm run inline\`. Do not edit.\n`;
}

function literal(file, text) {
  if (/`|\$\{/.test(text)) throw new Error(`lua/${file} may not contain backticks or \${.`);
  return `String.raw\`${text}\``;
}

function camelCase(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'include'), { recursive: true });
  for (const [file, text] of generate()) writeFileSync(join(target, file), text);
}
