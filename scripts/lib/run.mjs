/**
 * Runs one child process and waits for it. Every script starts its children
 * here so that a signal to the script always reaches them: npm sends SIGTERM to
 * the script alone, and a build or browser left behind would hold ports and locks.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './root.mjs';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Settings that keep the tools off the network. */
const quietTools = {
  NEXT_TELEMETRY_DISABLED: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
};

const running = new Set();
let stopping = false;

/**
 * @param {string} command a tool in node_modules/.bin or on PATH, or an absolute path
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, capture?: boolean }} [options]
 *   `capture` collects stdout and stderr in `output` instead of showing them
 * @returns {Promise<{ code: number, output: string, seconds: number }>}
 */
export function run(command, args, { cwd = root, env = {}, capture = false } = {}) {
  const started = performance.now();
  const output = capture ? 'pipe' : 'inherit';
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(toolPath(command), args, {
      cwd,
      env: { ...process.env, ...quietTools, ...env },
      stdio: ['ignore', output, output],
    });
    track(child);
    const settle = (code) => {
      untrack(child);
      if (stopping) process.exit(130);
      resolve({ code, output: Buffer.concat(chunks).toString(), seconds: (performance.now() - started) / 1000 });
    };
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${command} could not be started: ${error.message}. Run npm ci.\n`));
      if (!capture) console.error(Buffer.concat(chunks).toString());
      settle(1);
    });
    child.on('close', (code) => settle(code ?? 1));
  });
}

/** Signals are caught only while a child runs, so that a script keeps its own way of stopping. */
function track(child) {
  if (running.size === 0) for (const signal of stopSignals) process.on(signal, stopChildren);
  running.add(child);
}

function untrack(child) {
  running.delete(child);
  if (running.size === 0) for (const signal of stopSignals) process.off(signal, stopChildren);
}

function stopChildren(signal) {
  stopping = true;
  for (const child of running) child.kill(signal);
}

function toolPath(command) {
  const local = join(root, 'node_modules', '.bin', command);
  return existsSync(local) ? local : command;
}
