/**
 * `npm run packed`: checks what users would install. Packs every published
 * package from `dist`, then asks publint and attw about the tarball, compares
 * its files with `src`, imports every entry point in a plain Node, and holds the
 * bundles to their byte budget (.size-limit.json). Needs a build.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { publishedPackages } from './lib/packages.mjs';
import { requirePlatform } from './lib/platform.mjs';
import { root } from './lib/root.mjs';
import { run } from './lib/run.mjs';

// Inside node_modules, so that unpacked packages find their dependencies in the folder above.
const work = join(root, 'node_modules', '.cache', 'packed');

requirePlatform();
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

const packages = publishedPackages();
for (const { folder } of packages) removeStale(folder);
const tarballs = await pack();
let failures = 0;
for (const { name, exports } of packages) await checkPackage(name, exports, tarballs.get(name));
await report('bundle sizes', run('size-limit', [], { capture: true }), { show: true });
process.exitCode = failures === 0 ? 0 : 1;

/** @returns {Promise<Map<string, { file: string, paths: string[] }>>} by package name */
async function pack() {
  const workspaces = packages.flatMap(({ name }) => ['--workspace', name]);
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work, ...workspaces], {
    capture: true,
  });
  if (packed.code !== 0) {
    console.error(`npm pack failed.\n${packed.output}`);
    process.exit(1);
  }
  const entries = Object.values(JSON.parse(packed.output));
  return new Map(
    entries.map((entry) => [
      entry.name,
      { file: join(work, entry.filename), paths: entry.files.map(({ path }) => path) },
    ]),
  );
}

async function checkPackage(name, exports, { file, paths }) {
  const folder = join(work, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  await report(`${name}: unpacks`, run('tar', ['-xzf', file, '-C', folder, '--strip-components=1'], { capture: true }));
  await Promise.all([
    report(`${name}: dist mirrors src`, mirrors(paths)),
    report(`${name}: publint`, run('publint', [file, '--strict'], { capture: true })),
    report(`${name}: types (attw)`, run('attw', [file, '--profile', 'esm-only', '--no-emoji'], { capture: true })),
    report(`${name}: imports in Node`, importEntries(name, exports)),
  ]);
}

/** tsc and turbo's cache leave a built file in place when its source is renamed or deleted. */
function removeStale(folder) {
  const sources = new Set(filesUnder(join(folder, 'src')).map(stem));
  for (const path of filesUnder(join(folder, 'dist'))) {
    if (!sources.has(stem(path))) rmSync(join(folder, 'dist', path));
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Every module that is published has its source beside it, and every source is built. */
function mirrors(paths) {
  const below = (top) => paths.filter((path) => path.startsWith(top)).map((path) => stem(path.slice(top.length)));
  const sources = new Set(below('src/'));
  const built = new Set(below('dist/'));
  const problems = [
    ...[...built].filter((path) => !sources.has(path)).map((path) => `dist/${path} has no source`),
    ...[...sources].filter((path) => !built.has(path)).map((path) => `src/${path} is not built`),
  ];
  return { code: problems.length === 0 ? 0 : 1, output: problems.join('\n') };
}

/** `reader/reader.d.ts.map` and `reader/reader.ts` have the same stem. */
function stem(path) {
  return path.replace(/(\.d)?\.(ts|tsx|js)(\.map)?$/, '');
}

async function importEntries(name, exports) {
  const entries = Object.keys(exports).filter((subpath) => !subpath.endsWith('.json'));
  const code = entries.map((subpath) => `await import(${JSON.stringify(join(name, subpath))});`).join('\n');
  return run(process.execPath, ['--input-type=module', '--eval', code], { capture: true, cwd: work });
}

async function report(what, result, { show = false } = {}) {
  const { code, output } = await result;
  if (code !== 0) failures++;
  if (code === 0) console.log(`ok      ${what}`);
  else console.error(`failed  ${what}`);
  if (code !== 0 || show) console.log(`\n${output.trim()}\n`);
}
