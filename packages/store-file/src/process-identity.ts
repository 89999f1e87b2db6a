import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { hasErrno } from './file-system.ts';

/** What distinguishes this process from every other, also from a later one with the same pid. Null: the platform does not tell. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Differs after each start of the machine. */
  readonly bootId: string | null;
  /** Pids count only within one namespace, such as a container. */
  readonly pidNamespace: string | null;
  /** Start of the process in clock ticks since the machine's. */
  readonly startedAt: string | null;
}

/** Identifies this process. */
export function currentProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    bootId: probe(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: probe(() => readlinkSync('/proc/self/ns/pid')),
    startedAt: startOf(process.pid),
  };
}

/**
 * Tells whether a process still runs. `unknown` where this process cannot see: another machine or container, or a platform without
 * `/proc` on which the pid is in use (it may have been given to somebody else).
 */
export function judgeProcess(other: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (other.bootId !== self.bootId && other.bootId !== null && self.bootId !== null) {
    // The same name on another boot: the machine was restarted, and everything on it.
    return other.host === self.host ? 'dead' : 'unknown';
  }
  // With a boot id the name does not matter, and it may change while the machine runs.
  if (other.bootId !== self.bootId || (self.bootId === null && other.host !== self.host)) return 'unknown';
  if (other.pidNamespace !== self.pidNamespace) return 'unknown';
  if (!pidExists(other.pid)) return 'dead';
  if (self.bootId === null) return other.pid === self.pid ? 'alive' : 'unknown';
  const startedAt = startOf(other.pid);
  return startedAt !== null && startedAt === other.startedAt ? 'alive' : 'dead';
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrno(error, 'ESRCH');
  }
}

/** Null for a process that is gone, or dead and only waits for its parent to collect it. */
function startOf(pid: number): string | null {
  return probe(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything; counting starts behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  });
}

function probe<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
