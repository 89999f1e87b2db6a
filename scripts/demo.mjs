/**
 * `npm run demo`: builds what changed, serves the demo and says where.
 *
 * Next is started directly by its bin file with the Node that runs this script,
 * not through npm: a signal then reaches the server itself, and nothing keeps
 * listening after this process ended.
 */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { requirePlatform } from './lib/platform.mjs';
import { bind, freePort } from './lib/port.mjs';
import { root } from './lib/root.mjs';
import { run } from './lib/run.mjs';

const usage = `Usage: npm run demo -- [options]

  --port <number>  port to listen on, 0 for any free one (PORT; default: first free from 3000)
  --data <folder>  where streams are kept (PERENNIAL_DATA; default: .perennial), unless PERENNIAL_REDIS_URL is set
  --docs <folder>  Markdown files the chat answers from (PERENNIAL_DOCS; default: this repository's)
  --dev            next dev instead of the production build (packages are built as for production)
  --no-build       serve the last build as it is
  --help           show this text`;

const firstPort = 3000;
const startTimeoutMs = 60_000;
/** SIGTERM waits for open responses, and a live stream can stay open for long. */
const stopTimeoutMs = 5000;

const options = readOptions();
requirePlatform();
if (options.build) await build();
const port = await choosePort(options.port);
await serve(port);

function readOptions() {
  const values = parse();
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const docs = folder(values.docs ?? process.env.PERENNIAL_DOCS);
  if (docs !== undefined && !isFolder(docs)) fail(2, `The docs folder ${docs} does not exist.`);
  return {
    port: readPort(values.port ?? process.env.PORT),
    data: folder(values.data ?? process.env.PERENNIAL_DATA) ?? join(root, '.perennial'),
    docs,
    dev: values.dev,
    build: !values['no-build'],
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        docs: { type: 'string' },
        dev: { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(2, `${error.message}\n\n${usage}`);
  }
}

function readPort(text) {
  if (text === undefined || text === '') return null;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) fail(2, `The port must be a number from 0 to 65535, not "${text}".`);
  return number;
}

/** npm runs scripts in the repository's root: a relative folder means the caller's folder. */
function folder(path) {
  return path ? resolve(process.env.INIT_CWD ?? process.cwd(), path) : undefined;
}

function isFolder(path) {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function build() {
  console.log('Building what changed …');
  const what = options.dev ? '@perennial/demo^...' : '@perennial/demo';
  const built = await run('turbo', ['run', 'build', `--filter=${what}`, '--output-logs=errors-only'], {
    capture: true,
  });
  if (built.code === 0) return;
  fail(1, `The demo could not be built.\n\n${built.output.trimEnd()}`);
}

async function choosePort(wanted) {
  if (wanted === null) return freePort(firstPort);
  const bound = await bind(wanted);
  return bound ?? fail(1, `Port ${wanted} is taken or not permitted. Name another one with --port.`);
}

async function serve(port) {
  const app = join(root, 'apps', 'demo');
  const next = createRequire(join(app, 'package.json')).resolve('next/dist/bin/next');
  const server = spawn(process.execPath, [next, options.dev ? 'dev' : 'start', app, '--port', String(port)], {
    cwd: app,
    env: {
      ...process.env,
      NEXT_TELEMETRY_DISABLED: '1',
      PERENNIAL_DATA: options.data,
      ...(options.docs !== undefined && { PERENNIAL_DOCS: options.docs }),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stopped = new Promise((done) => {
    server.once('exit', (code, signal) => done({ code, signal }));
    server.once('error', (error) => fail(1, `The demo's server could not be started: ${error.message}`));
  });
  const stopping = forwardSignals(server);

  const answered = await Promise.race([answers(port), stopped.then(() => 'stopped')]);
  if (answered === true)
    console.log(
      `\nDemo ready: http://localhost:${port}\nData in ${process.env.PERENNIAL_REDIS_URL ? 'Redis' : options.data}\nCtrl-C stops it.\n`,
    );
  if (answered === false && !stopping.signal) {
    server.kill('SIGKILL');
    fail(1, `The demo did not answer on port ${port} within ${startTimeoutMs / 1000} s.`);
  }

  const { code, signal } = await stopped;
  if (stopping.signal) process.exit(0);
  fail(code ?? 1, `The demo's server stopped by itself (${signal ?? `exit code ${code}`}).`);
}

/** Passes the first signal on; a second one, or too long a wait, ends the server at once. */
function forwardSignals(server) {
  const state = { signal: null };
  const stop = (signal) => {
    const again = state.signal !== null;
    state.signal = signal;
    server.kill(again ? 'SIGKILL' : signal);
    setTimeout(() => server.kill('SIGKILL'), stopTimeoutMs).unref();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => stop('SIGTERM'));
  // A program that starts the demo with an IPC channel ends it by ending itself, even by kill -9.
  process.on('disconnect', () => stop('SIGTERM'));
  return state;
}

/** Asks the server until it gives any answer at all. */
async function answers(port) {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    try {
      await fetch(`http://localhost:${port}/`, { signal: AbortSignal.timeout(10_000) });
      return true;
    } catch {
      await new Promise((again) => setTimeout(again, 100));
    }
  }
  return false;
}

function fail(code, message) {
  console.error(message);
  return process.exit(code);
}
