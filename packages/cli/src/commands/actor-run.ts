import { ActorFailedError, type StreamingActor } from '@perennial/actor';
import { type StreamChunk, toStreamChunk, toStreamFailure } from '@perennial/core';

import { CliError } from '../errors.ts';
import { EXIT, type ExitCode, stoppedCode } from '../exit-codes.ts';
import { createDisplay, type Display } from '../progress/display.ts';
import { createTally, type Tally } from '../progress/tally.ts';
import { printableLines } from '../terminal/printable.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { loadProject } from './load-project.ts';
import { readInput } from './read-input.ts';
import { withRemoteActor } from './remote-actor.ts';

/** Flags of `perennial actor run`. */
export interface ActorRunFlags extends CommonFlags {
  readonly input?: string | undefined;
  readonly stream?: true | undefined;
  readonly json?: true | undefined;
  readonly remote?: true | undefined;
  readonly address?: string | undefined;
}

/** Runs an actor, in this process or with `--remote` in a worker; its result, or with `--json` its chunks, go to standard output. */
export async function actorRun(context: CommandContext, type: string, flags: ActorRunFlags): Promise<ExitCode> {
  const project = await loadProject(context.io, flags.config);
  const { registry } = project.resolved;
  const input = await readInput(context.io, flags.input);
  if (flags.remote) {
    return withRemoteActor(context, { project, flags, type }, (actor) => runActor(context, { actor, input, flags }));
  }
  if (!registry.has(type)) {
    const types = registry.list().map((actor) => actor.type);
    throw new CliError('UNKNOWN_ACTOR', `There is no actor ${JSON.stringify(type)}.`, {
      hint: types.length === 0 ? 'The configuration has no `actors`.' : `There are: ${types.join(', ')}.`,
    });
  }
  return runActor(context, { actor: leavable(registry.get(type)), input, flags });
}

interface Run {
  readonly actor: StreamingActor;
  readonly input: unknown;
  readonly flags: ActorRunFlags;
}

async function runActor(context: CommandContext, { actor, input, flags }: Run): Promise<ExitCode> {
  const { io, output, signal } = context;
  const display = await createDisplay({ stderr: io.stderr, quiet: flags.quiet === true });
  const tally = createTally();
  const chunks = flags.stream ? actor.stream(input, { signal }) : executed(actor, input, signal);
  try {
    await consume(chunks, { context, display, tally, json: flags.json === true });
  } catch (error) {
    if (signal.aborted) {
      display.cancel(tally.progress);
      if (flags.json) await output.line(JSON.stringify({ type: 'cancelled' }));
      return stoppedCode(signal);
    }
    const reported = error instanceof ActorFailedError;
    const { code, message } = reported ? error.failure : toStreamFailure(error);
    display.fail(tally.progress, `${code}: ${message}`);
    if (flags.json && !reported) await output.line(JSON.stringify(toStreamChunk({ type: 'error', error })));
    return code === 'UNKNOWN_ACTOR' ? EXIT.notFound : EXIT.endedFailed;
  }
  display.complete(tally.progress);
  if (!flags.json) await writeResult(context, tally);
  return EXIT.ok;
}

/** An actor's result as a stream of one chunk. */
async function* executed(
  actor: StreamingActor,
  input: unknown,
  signal: AbortSignal,
): AsyncGenerator<StreamChunk, void, undefined> {
  yield { type: 'complete', data: await actor.execute(input, { signal }) };
}

/** The same actor, which Ctrl-C leaves behind also when it does not listen to its signal. */
function leavable(actor: StreamingActor): StreamingActor {
  return {
    stream: (input, context) => actor.stream(input, context),
    execute: (input, context = {}) => {
      const left = new Promise<never>((_resolve, reject) => {
        context.signal?.addEventListener('abort', () => reject(new Error('The actor was cancelled.')), { once: true });
      });
      left.catch(() => undefined);
      return Promise.race([actor.execute(input, context), left]);
    },
  };
}

interface Consumer {
  readonly context: CommandContext;
  readonly display: Display;
  readonly tally: Tally;
  readonly json: boolean;
}

async function consume(chunks: AsyncIterable<StreamChunk>, { context, display, tally, json }: Consumer): Promise<void> {
  for await (const chunk of chunks) {
    const milestone = tally.note(chunk);
    if (json) await context.output.line(JSON.stringify(chunk));
    if (chunk.type === 'error') throw new ActorFailedError(chunk.error);
    if (chunk.type === 'progress') display.report(chunk.progress);
    if (chunk.type === 'data') display.advance(tally.progress, milestone);
  }
}

async function writeResult({ output }: CommandContext, { result }: Tally): Promise<void> {
  if (result === undefined) return;
  const text = typeof result === 'string' ? result : JSON.stringify(result, null, output.isTty ? 2 : undefined);
  await output.line(output.isTty ? printableLines(text) : text);
}
