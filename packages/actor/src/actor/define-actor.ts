import type { ErrorChunk, StreamChunk, StreamChunkInput } from '@perennial/core';

import { invalid, quote } from '../errors.ts';
import { Actor } from './actor.ts';
import type { LooseChunk } from './chunks.ts';
import type { ResultOf } from './collect.ts';
import type { ActorContext } from './context.ts';

/**
 * Makes an actor of a function: of an async generator one that streams, of an async function one that does not.
 *
 * @example
 * const echo = defineActor(async function* (input: { text: string }) {
 *   for (const word of input.text.split(' ')) yield { type: 'data', data: word };
 * });
 */
export function defineActor<Input, Chunk extends StreamChunkInput>(
  work: (input: Input, context: ActorContext) => AsyncIterable<Chunk>,
): Actor<Input, ResultOf<Chunk>, Streamed<Chunk>>;
export function defineActor<Input, Output>(
  work: (input: Input, context: ActorContext) => Promise<Output>,
): Actor<Input, Output, StreamChunk<Output>>;
export function defineActor(work: Work): Actor {
  if (typeof work !== 'function') throw invalid(`\`work\` must be a function; got ${quote(work)}.`);
  return new FunctionActor(work);
}

/** A chunk as consumers get it: whatever was given for an error has become serialisable. */
type Streamed<Chunk> = Chunk extends { readonly type: 'error' } ? ErrorChunk : Extract<Chunk, StreamChunk>;
type Work = (input: never, context: ActorContext) => AsyncIterable<LooseChunk> | Promise<unknown>;

class FunctionActor extends Actor {
  readonly #work: Work;

  constructor(work: Work) {
    super();
    this.#work = work;
  }

  // Hands the generator out as it is: a layer of `yield*` around it would cost half of what the generator itself does.
  override stream(input: unknown, context: ActorContext): AsyncGenerator<LooseChunk, void, unknown> {
    const working = this.#work(input as never, context);
    const chunks = Symbol.asyncIterator in working ? working : completeWith(working);
    // The managed stream in front of this method needs no more than an async iterable.
    return chunks as AsyncGenerator<LooseChunk, void, unknown>;
  }
}

/** A function that does not stream has its result for its only chunk. */
async function* completeWith(result: Promise<unknown>): AsyncGenerator<LooseChunk, void, unknown> {
  yield { type: 'complete', data: await result };
}
