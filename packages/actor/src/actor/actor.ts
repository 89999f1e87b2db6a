import type { StreamChunk } from '@perennial/core';

import { abortedError, ActorError } from '../errors.ts';
import type { ActorStream, LooseChunk } from './chunks.ts';
import { collectResult } from './collect.ts';
import { type ActorCallContext, type ActorContext, createActorContext } from './context.ts';
import { manageChunks } from './managed-stream.ts';

/** Something that can be asked for a result, at once or as it comes: a local actor of a registry, or a remote one. */
export interface StreamingActor<Input = unknown, Output = unknown, Data = Output> {
  /** The result. Rejects with what the actor threw, or with `FAILED` when it ended with an error chunk. */
  execute(input: Input, context?: ActorCallContext): Promise<Output>;
  /** The chunks, as they come; the last one is `complete` or `error`. Leaving the loop early cancels the work. */
  stream(input: Input, context?: ActorCallContext): ActorStream<Data>;
}

/**
 * Base class of actors. Override `execute`, `stream` or both; what is missing is made from what is there: `stream` is `execute` in one
 * `complete` chunk, and `execute` is the data of the `complete` chunk.
 *
 * Without type arguments the chunks are typed loosely, so that `yield { type: 'start' }` needs no annotation. With them, annotate the
 * generator: `async *stream(input: Question, context: ActorContext): ActorStream<Answer>`.
 *
 * A subclass writes plain methods that get a whole context. Callers may leave the context out, and get a stream that ends exactly once
 * and cancels when they leave.
 *
 * @example
 * class ChatActor extends Actor {
 *   override async *stream(input: { prompt: string }, context: ActorContext) {
 *     for await (const token of context.ai.streamCompletion(input.prompt)) yield { type: 'data', data: { token } };
 *   }
 * }
 * for await (const chunk of registry.get('chat').stream({ prompt })) console.log(chunk);
 */
export abstract class Actor<
  Input = unknown,
  Output = unknown,
  Chunk extends LooseChunk = unknown extends Output ? LooseChunk : StreamChunk<Output>,
> {
  constructor() {
    const { stream, execute } = this;
    const own = {
      stream: stream === Actor.prototype.stream ? null : stream,
      execute: execute === Actor.prototype.execute ? null : execute,
    };
    // Callers get managed methods in front of the ones that the subclass wrote, so that calling an actor directly, through a registry
    // or on a worker is the same. `super.stream()` still reaches the base class.
    define(this, 'stream', (input: Input, context?: ActorCallContext) =>
      manageChunks((whole) => open(this, own, { input, context: whole }), context),
    );
    define(this, 'execute', async (input: Input, context?: ActorCallContext): Promise<unknown> => {
      const whole = createActorContext(context);
      if (whole.signal.aborted) throw abortedError(whole.signal);
      return own.execute ? own.execute.call(this, input, whole) : collectResult(this.#chunks(input, context));
    });
  }

  /** The result. */
  async execute(input: Input, context?: ActorCallContext): Promise<Output> {
    assertOverridden(this, 'stream');
    // The data of the last chunk is the actor's promise.
    return collectResult(this.#chunks(input, context)) as Promise<Output>;
  }

  /** The chunks as they come. */
  async *stream(input: Input, context?: ActorCallContext): AsyncGenerator<Chunk, void, unknown> {
    assertOverridden(this, 'execute');
    const data = await this.execute(input, context);
    // A chunk of any actor may be a `complete` one.
    yield { type: 'complete', data } as LooseChunk as Chunk;
  }

  #chunks(input: Input, context?: ActorCallContext): ActorStream {
    return this.stream(input, context) as AsyncGenerator<LooseChunk, void, unknown> as ActorStream;
  }
}

interface Written<Input> {
  readonly stream: ((input: Input, context?: ActorContext) => AsyncIterable<unknown>) | null;
  readonly execute: ((input: Input, context?: ActorContext) => Promise<unknown>) | null;
}

interface Call<Input> {
  readonly input: Input;
  readonly context: ActorContext;
}

function open<Input>(actor: object, written: Written<Input>, { input, context }: Call<Input>): AsyncIterable<unknown> {
  const { stream, execute } = written;
  if (stream) return stream.call(actor, input, context);
  if (execute) return completeWith(() => execute.call(actor, input, context));
  throw notImplemented(actor, '`execute` or `stream`');
}

async function* completeWith(execute: () => Promise<unknown>): ActorStream {
  yield { type: 'complete', data: await execute() };
}

function define(actor: object, name: 'stream' | 'execute', value: unknown): void {
  Object.defineProperty(actor, name, { value, writable: true, configurable: true });
}

/** Without this, a base method and a managed one would call each other for ever. */
function assertOverridden(actor: object, name: 'stream' | 'execute'): void {
  const method: unknown = Reflect.get(Reflect.getPrototypeOf(actor) ?? {}, name);
  if (method === Actor.prototype[name]) throw notImplemented(actor, `\`${name}\``);
}

function notImplemented(actor: object, what: string): ActorError {
  const { name } = actor.constructor;
  return new ActorError('NOT_IMPLEMENTED', `The actor ${name || '(anonymous)'} has to override ${what}.`);
}

/** True for actors that write a `stream` of their own; the others stream one chunk. */
export function isStreamingActor(actor: object): boolean {
  if (!(actor instanceof Actor)) return true;
  return Reflect.get(Reflect.getPrototypeOf(actor) ?? {}, 'stream') !== Actor.prototype.stream;
}
