/**
 * Finds a Chromium that starts on this machine: `CHROMIUM_PATH`, then the one in
 * the `@sparticuz/chromium` package, then an installed Chrome or Chromium. Each
 * candidate is asked for its version, because a binary that is there but misses
 * a system library fails only when started.
 */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

/** A browser and what its process needs in the environment. */
export interface Chromium {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

const startTimeoutMs = 30_000;
const installedPaths = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const installedNames = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];

/** Returns the first Chromium that starts; rejects with what was tried and how to provide one. */
export async function findChromium(): Promise<Chromium> {
  const tried: string[] = [];
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    const problem = await startProblem({ path: named, env: {} });
    if (problem === null) return { path: named, env: {} };
    throw new Error(`CHROMIUM_PATH names ${named}, which does not start: ${problem}`);
  }
  for (const candidate of [packagedChromium, installedChromium]) {
    const chromium = await candidate(tried);
    if (chromium) return chromium;
  }
  throw new Error(
    `No Chromium starts here. Tried:\n${tried.map((line) => `  ${line}`).join('\n')}\n` +
      'Install Chromium or Chrome (Debian: apt-get install chromium), or set CHROMIUM_PATH to a browser binary.',
  );
}

async function packagedChromium(tried: string[]): Promise<Chromium | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    tried.push(`@sparticuz/chromium: only for linux x64, this is ${process.platform} ${process.arch}`);
    return null;
  }
  const folder = await inflatePackage();
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') };
  const bare = { path: join(folder, 'chromium'), env: fonts };
  if ((await startProblem(bare)) === null) return bare;
  const withLibraries = { path: bare.path, env: { ...fonts, LD_LIBRARY_PATH: libraryPath(folder) } };
  const problem = await startProblem(withLibraries);
  if (problem === null) return withLibraries;
  tried.push(`@sparticuz/chromium with its own libraries: ${problem}`);
  return null;
}

function libraryPath(folder: string): string {
  const inherited = process.env['LD_LIBRARY_PATH'];
  return [join(folder, 'al2023', 'lib'), ...(inherited ? [inherited] : [])].join(delimiter);
}

async function installedChromium(tried: string[]): Promise<Chromium | null> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const onPath = installedNames.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [...installedPaths, ...onPath].filter((path) => existsSync(path));
  if (found.length === 0) tried.push(`installed browser: none of ${installedNames.join(', ')} on PATH`);
  for (const path of found) {
    const problem = await startProblem({ path, env: {} });
    if (problem === null) return { path, env: {} };
    tried.push(`${path}: ${problem}`);
  }
  return null;
}

/** Null when the browser starts, otherwise its first complaint. */
async function startProblem({ path, env }: Chromium): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: startTimeoutMs };
    execFile(path, ['--version', '--no-sandbox'], options, (error, _stdout, stderr) => {
      resolve(error ? stderr.trim().split('\n')[0] || error.message : null);
    });
  });
}

/**
 * Unpacks the browser, its libraries and fonts once per installed version. The
 * package's own `executablePath()` writes straight to the shared temp folder,
 * where a second process takes a half-written binary for a finished one; here
 * the folder gets its final name only when it is complete.
 */
async function inflatePackage(): Promise<string> {
  const home = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const cache = join(dirname(dirname(home)), '.cache');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;

  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'chromium-'));
  await inflateInto(staging, join(home, 'bin'));
  try {
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

async function inflateInto(folder: string, archives: string): Promise<void> {
  const { inflate } = await import('@sparticuz/chromium');
  const browser = pipeline(
    createReadStream(join(archives, 'chromium.br')),
    createBrotliDecompress(),
    createWriteStream(join(folder, 'chromium'), { mode: 0o755 }),
  );
  // `inflate` takes its target folder from TMPDIR and from nowhere else.
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    const names = ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'];
    await Promise.all(names.map((name) => inflate(join(archives, name))));
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  await browser;
  await writeFile(join(folder, 'fonts', 'fonts.conf'), fontsConfiguration());
}

/** The package's own file names folders of AWS Lambda. `prefix="relative"` counts from the file itself. */
function fontsConfiguration(): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    '  <dir prefix="relative">.</dir>',
    '  <cachedir prefix="relative">cache</cachedir>',
    '</fontconfig>',
    '',
  ].join('\n');
}
