import type { FileHandle } from 'node:fs/promises';
import * as nodeFs from 'node:fs/promises';

import type { FileSystem } from '../src/index.ts';

/** A call on its way to the disk. Calls on an open file carry the path it was opened with. */
export interface FsCall {
  readonly name: string;
  readonly path: string;
  readonly args: readonly unknown[];
}

/** Sees every call; answers it by `proceed`, or in any other way. */
export type Intercept = (call: FsCall, proceed: () => Promise<unknown>) => Promise<unknown>;

/** `node:fs/promises` with a hole in it. */
export interface FaultFs {
  readonly fs: FileSystem;
  /** Every call so far. */
  readonly calls: FsCall[];
  /** Files open at present. */
  readonly open: { count: number; most: number };
  intercept: Intercept;
}

export const pass: Intercept = (_call, proceed) => proceed();

export function createFaultFs(): FaultFs {
  const fault: FaultFs = {
    fs: new Proxy(nodeFs, { get: (target, name) => wrap(target, String(name)) }),
    calls: [],
    open: { count: 0, most: 0 },
    intercept: pass,
  };

  function run(call: FsCall, proceed: () => Promise<unknown>): Promise<unknown> {
    fault.calls.push(call);
    return fault.intercept(call, proceed);
  }

  function wrap(target: object, name: string): unknown {
    const method: unknown = Reflect.get(target, name);
    if (typeof method !== 'function') return method;
    return (...args: readonly unknown[]) => {
      // A watch is an iterator, not a promise.
      if (name === 'watch') return Reflect.apply(method, target, args);
      const path = String(args[0]);
      return run({ name, path, args }, async () => {
        const result: unknown = await Reflect.apply(method, target, args);
        return name === 'open' ? wrapHandle(result as FileHandle, path) : result;
      });
    };
  }

  function wrapHandle(handle: FileHandle, path: string): FileHandle {
    fault.open.count++;
    fault.open.most = Math.max(fault.open.most, fault.open.count);
    return new Proxy(handle, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: readonly unknown[]) => {
          if (name === 'close') fault.open.count--;
          return run({ name: String(name), path, args }, async () => Reflect.apply(method, target, args));
        };
      },
    });
  }

  return fault;
}

/** An error as the operating system gives it. */
export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** The names that change something on disk. */
export const WRITING: ReadonlySet<string> = new Set([
  'link',
  'mkdir',
  'rename',
  'rm',
  'truncate',
  'unlink',
  'write',
  'writeFile',
  'writev',
]);

/** The same file system without notifications, as when the system's watches are used up. */
export function withoutWatch(fs: FileSystem): FileSystem {
  const watch = (): never => {
    throw errno('ENOSPC');
  };
  return new Proxy(fs, { get: (target, name) => (name === 'watch' ? watch : Reflect.get(target, name)) });
}
