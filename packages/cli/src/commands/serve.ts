import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';

import type { StreamStore } from '@perennial/core';
import { createStreamListener } from '@perennial/node';

import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { createGate, isLoopback, refuse } from '../serve/access.ts';
import { listen } from '../serve/listen.ts';
import { openTarget } from '../target/open-target.ts';
import { publishEndpoint } from '../target/served-endpoint.ts';
import { resolveTarget, type TargetSpec } from '../target/target-spec.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { untilAborted } from './until-aborted.ts';

/** Flags of `perennial serve`. */
export interface ServeFlags extends CommonFlags {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly cors?: readonly string[] | undefined;
}

/** How long open requests may take to finish once the server is told to stop. */
const DRAIN_MS = 10_000;

/** Serves the streams of a folder, of Redis or of the config's store over HTTP until it is told to stop. */
export async function serve(context: CommandContext, flags: ServeFlags): Promise<ExitCode> {
  const { io, messages } = context;
  // The token is for the clients of this server here, not for a server that this process would ask.
  const token = flags.token ?? (io.env['PERENNIAL_TOKEN'] || undefined);
  if (token === undefined && !isLoopback(flags.host)) {
    throw new CliError('UNSAFE_HOST', `${flags.host} can be reached from other machines, and there is no token.`, {
      hint: 'Set PERENNIAL_TOKEN (or pass --token), or listen on 127.0.0.1.',
    });
  }
  const spec = await resolveTarget(flags, io);
  if (spec.kind === 'http') throw new CliError('USAGE', 'A server cannot serve another server: name --dir or --redis.');
  // The process that serves a folder is the one that others write through, so it never looks for such a process itself.
  const target = await openTarget(spec, { access: spec.kind === 'file' ? 'own' : 'write', messages });
  try {
    if (spec.kind === 'file') await takeLock(target.store);
    return await serveStore(context, { flags, spec, token, store: target.store, label: target.label });
  } finally {
    await target.close();
  }
}

interface Served {
  readonly flags: ServeFlags;
  readonly spec: TargetSpec;
  readonly token: string | undefined;
  readonly store: StreamStore;
  readonly label: string;
}

async function serveStore(
  { output, messages, signal }: CommandContext,
  { flags, spec, token, store, label }: Served,
): Promise<ExitCode> {
  const { host, port, path, cors } = flags;
  const closing = new AbortController();
  const ownToken = randomBytes(32).toString('base64url');
  const gate = createGate({
    tokens: token === undefined ? [ownToken] : [token, ownToken],
    open: token === undefined,
    host,
  });
  const streams = createStreamListener({
    store,
    basePath: path,
    // Whoever passes the gate may do everything.
    authorize: () => true,
    ...(cors && { cors: cors.includes('*') ? '*' : cors }),
    signal: closing.signal,
    onError: (error, { method, url, reference }) =>
      messages.warn(`${method} ${url}${reference === undefined ? '' : ` (${reference})`}: ${String(error)}`),
  });
  const listener: RequestListener = (message, out) => {
    // A preflight carries no token.
    const refusal = message.method === 'OPTIONS' ? null : gate(message);
    if (!refusal) return streams(message, out);
    message.resume();
    refuse(out, refusal);
  };
  const listening = await listen({ host, port, listener });
  const base = path.replace(/\/$/, '');
  const withdraw =
    spec.kind === 'file'
      ? await publishEndpoint(spec.directory, {
          url: `${listening.localUrl}${base}`,
          token: ownToken,
          pid: process.pid,
        })
      : async (): Promise<void> => undefined;
  messages.note(`Serving ${label}${token === undefined ? ' to this machine, without a token' : ''}. Ctrl-C stops.`);
  await output.line(`${listening.url}${base}`);
  await untilAborted(signal);
  messages.note('Stopping.');
  await withdraw();
  closing.abort();
  await Promise.race([listening.close(), pause(DRAIN_MS)]);
  return EXIT.ok;
}

/** Takes the lock of a folder now, so that a second server fails at once and not with its first request. */
async function takeLock(store: StreamStore): Promise<void> {
  const id = `perennial-serve/${crypto.randomUUID()}`;
  await store.create(id, { ttlMs: 60_000 });
  await store.delete(id);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
