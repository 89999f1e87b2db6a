import type { StreamChunk } from '@perennial/core';

import { invalid, quote } from '../errors.ts';
import { Actor } from './actor.ts';
import type { ActorCallContext, ActorContext } from './context.ts';

/** What {@link defineActor} makes an actor of: an async generator, or an async function without streaming. */
export type ActorFunction<Input, Output, Data> = (
  input: Input,
  context: ActorContext,
) => AsyncIterable<StreamChunk<Data>> | Promise<Output>;

/**
 * Makes an actor of a function: of an async generator one that streams, of an async function one that does not.
 *
 * @example
 * const echo = defineActor(async function* (input: { text: string }) {
 *   for (const word of input.text.split(' ')) yield { type: 'data', data: word };
 * });
 */
export function defineActor<Input, Output = unknown, Data = Output>(
  work: ActorFunction<Input, Output, Data>,
): Actor<Input, Output, StreamChunk<Data>> {
  if (typeof work !== 'function') throw invalid(`\`work\` must be a function; got ${quote(work)}.`);
  return new FunctionActor(work);
}

class FunctionActor<Input, Output, Data> extends Actor<Input, Output, StreamChunk<Data>> {
  readonly #work: ActorFunction<Input, Output, Data>;

  constructor(work: ActorFunction<Input, Output, Data>) {
    super();
    this.#work = work;
  }

  override async *stream(
    input: Input,
    context: ActorContext & ActorCallContext,
  ): AsyncGenerator<StreamChunk<Data>, void, unknown> {
    const working = this.#work(input, context);
    if (Symbol.asyncIterator in working) yield* working;
    // A function that does not stream has its result for its only chunk.
    else yield { type: 'complete', data: (await working) as never };
  }
}
