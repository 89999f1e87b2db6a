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
    bootId: probe(readBootId),
    pidNamespace: probe(() => readlinkSync('/proc/self/ns/pid')),
    startedAt: statusOf(process.pid)?.startedAt ?? null,
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
  const status = statusOf(other.pid);
  // It exists and cannot be looked at: `/proc` may hide the processes of other users.
  if (!status) return 'unknown';
  return status.isAlive && status.startedAt === other.startedAt ? 'alive' : 'dead';
}

function readBootId(): string | null {
  const read = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const id = read();
  // Some sandboxes make up a new one with each look.
  return read() === id ? id : null;
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrno(error, 'ESRCH');
  }
}

/** What `/proc` says of a process; null when it says nothing. */
function statusOf(pid: number): { readonly isAlive: boolean; readonly startedAt: string | null } | null {
  return probe(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything; counting starts behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A dead process that waits for its parent to collect it still has a pid.
    return { isAlive: fields[0] !== 'Z' && fields[0] !== 'X', startedAt: fields[19] ?? null };
  });
}

function probe<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
