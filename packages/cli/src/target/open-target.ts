import { existsSync } from 'node:fs';

import type { StreamStore } from '@perennial/core';
import type { StreamEndpoint } from '@perennial/core/client';

import { ConfigError, CliError } from '../errors.ts';
import type { Messages } from '../terminal/messages.ts';
import { readOnly } from './read-only.ts';
import { findEndpoint } from './served-endpoint.ts';
import type { TargetSpec } from './target-spec.ts';

/** The streams a command works on. */
export interface Target {
  /** Where they are, for messages: without passwords. */
  readonly label: string;
  /** The whole port. Over HTTP it needs the right to `mark`; {@link Target.endpoint} needs less. */
  readonly store: StreamStore;
  /** How to ask for one stream over HTTP; null when the store is in this process. */
  readonly endpoint: ((streamId: string) => StreamEndpoint) | null;
  close(): Promise<void>;
}

/** Options of {@link openTarget}. */
export interface OpenTargetOptions {
  /** What the command will do. `write` goes through the process that serves a folder; `own` is for that process itself. */
  readonly access: 'read' | 'write' | 'own';
  readonly messages: Messages;
}

/**
 * Opens the streams. What only some commands need is loaded here, not before.
 *
 * Writing to a folder goes through the process that serves it, if there is one that answers; otherwise this process takes the folder's lock,
 * or fails with `STORE_LOCKED` naming its owner.
 */
export async function openTarget(spec: TargetSpec, options: OpenTargetOptions): Promise<Target> {
  switch (spec.kind) {
    case 'http':
      return openHttp(spec.url, spec.token);
    case 'redis':
      return openRedis(spec, options);
    case 'file':
      return openFolder(spec, options);
    case 'made':
      return openMade(spec);
  }
}

async function openHttp(base: string, token: string | undefined): Promise<Target> {
  const [{ createHttpStore }, { streamUrl }] = await Promise.all([
    import('@perennial/core/client'),
    import('@perennial/core/http'),
  ]);
  const url = base.endsWith('/') ? base.slice(0, -1) : base;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const store = createHttpStore({ url, headers });
  return {
    label: withoutPassword(url),
    store,
    endpoint: (streamId) => ({ url: streamUrl(url, streamId), headers }),
    close: () => store.close(),
  };
}

async function openRedis(
  { url, prefix }: Extract<TargetSpec, { kind: 'redis' }>,
  { messages }: OpenTargetOptions,
): Promise<Target> {
  const { createRedisStreamStore } = await import('@perennial/store-redis');
  const store = createRedisStreamStore({
    url,
    ...(prefix !== undefined && { prefix }),
    // A person waits for the answer, and is told sooner that the server is away.
    retry: { timeoutMs: 5_000 },
    onWarning: ({ message }) => messages.warn(message),
  });
  return local(withoutPassword(url), store);
}

async function openFolder(
  { directory, durability, ownerUrl, token }: Extract<TargetSpec, { kind: 'file' }>,
  { access, messages }: OpenTargetOptions,
): Promise<Target> {
  if (access === 'write') {
    if (ownerUrl !== undefined && (await isReachable(ownerUrl))) return openHttp(ownerUrl, token);
    const owner = await findEndpoint(directory);
    if (owner) {
      messages.note(`Through process ${owner.pid}, which serves ${directory} at ${owner.url}.`);
      return openHttp(owner.url, owner.token);
    }
  } else if (access === 'read' && !existsSync(directory)) {
    throw new CliError('NO_DIRECTORY', `There is no folder ${directory}.`, {
      hint: 'Relative paths count from the working directory, in perennial.config.ts from that file. Writing makes the folder.',
    });
  }
  const { createFileStreamStore } = await import('@perennial/store-file');
  const store = createFileStreamStore({ directory, ...(durability && { durability }) });
  return local(directory, access === 'read' ? readOnly(store) : store);
}

async function openMade({ file, make }: Extract<TargetSpec, { kind: 'made' }>): Promise<Target> {
  let store: unknown;
  try {
    store = await make();
  } catch (cause) {
    throw new ConfigError(file, 'store', `threw: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (!isStore(store)) throw new ConfigError(file, 'store', 'must return a stream store.');
  return local(`the store of ${file}`, store);
}

function isStore(value: unknown): value is StreamStore {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['append', 'read', 'wait', 'head', 'list', 'close'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function local(label: string, store: StreamStore): Target {
  return { label, store, endpoint: null, close: () => store.close() };
}

/** Any answer will do: the command's own request tells what is wrong with it. */
async function isReachable(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'OPTIONS', signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password === '' && parsed.username === '') return url;
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
