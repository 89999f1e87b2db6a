import type { StreamChunk } from '@perennial/core';

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
export function defineActor<Input, Chunk extends StreamChunk>(
  work: (input: Input, context: ActorContext) => AsyncIterable<Chunk>,
): Actor<Input, ResultOf<Chunk>, Chunk>;
export function defineActor<Input, Output>(
  work: (input: Input, context: ActorContext) => Promise<Output>,
): Actor<Input, Output, StreamChunk<Output>>;
export function defineActor(work: Work): Actor {
  if (typeof work !== 'function') throw invalid(`\`work\` must be a function; got ${quote(work)}.`);
  return new FunctionActor(work);
}

type Work = (input: never, context: ActorContext) => AsyncIterable<LooseChunk> | Promise<unknown>;

class FunctionActor extends Actor {
  readonly #work: Work;

  constructor(work: Work) {
    super();
    this.#work = work;
  }

  override async *stream(input: unknown, context: ActorContext): AsyncGenerator<LooseChunk, void, unknown> {
    const working = this.#work(input as never, context);
    if (Symbol.asyncIterator in working) yield* working;
    // A function that does not stream has its result for its only chunk.
    else yield { type: 'complete', data: await working };
  }
}
