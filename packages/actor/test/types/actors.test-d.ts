/** Checked by `tsc`: what consumers and authors of actors see. */
import { expectTypeOf } from 'vitest';

import {
  Actor,
  type ActorContext,
  type ActorStream,
  collectChunks,
  collectResult,
  createActorRegistry,
  defineActor,
  type LooseChunk,
  RemoteStreamingActor,
  type RemoteStreamingActorOptions,
  type StreamChunk,
  type StreamChunkError,
  type StreamingActor,
  type StreamProgress,
  throwOnError,
} from '../../src/index.ts';

interface Question {
  readonly text: string;
}

// Chunks are discriminated by their type.
declare const chunk: StreamChunk<number>;
if (chunk.type === 'error') expectTypeOf(chunk.error).toEqualTypeOf<StreamChunkError>();
if (chunk.type === 'progress') expectTypeOf(chunk.progress).toEqualTypeOf<StreamProgress>();
if (chunk.type === 'data') expectTypeOf(chunk.data).toEqualTypeOf<number>();

// An untyped actor may yield plain object literals; a typed one is checked.
class Untyped extends Actor {
  override async *stream(input: Question, _context: ActorContext) {
    yield { type: 'start' };
    yield { type: 'data', data: input.text };
  }
}
expectTypeOf<Actor['stream']>().returns.toExtend<AsyncIterable<LooseChunk>>();
class Typed extends Actor<Question, number> {
  override async *stream(input: Question): ActorStream<number> {
    yield { type: 'data', data: input.text.length };
    // @ts-expect-error -- the data are numbers
    yield { type: 'data', data: input.text };
  }
}
const typed: Actor<Question, number> = new Typed();
expectTypeOf(typed.execute({ text: '' })).resolves.toEqualTypeOf<number>();
expectTypeOf(typed.stream({ text: '' })).toEqualTypeOf<AsyncGenerator<StreamChunk<number>, void, unknown>>();
// @ts-expect-error -- a question has a text
void typed.execute({ words: 3 });

// A function's types are inferred, of its chunks and of its result.
const counted = defineActor(async function* (input: Question, context) {
  expectTypeOf(context).toEqualTypeOf<ActorContext>();
  yield { type: 'data', data: input.text };
  yield { type: 'complete', data: 3 };
});
expectTypeOf(counted.execute({ text: '' })).resolves.toEqualTypeOf<number>();
expectTypeOf(collectResult(counted.stream({ text: '' }))).resolves.toEqualTypeOf<number>();
for await (const said of throwOnError(counted.stream({ text: '' }))) {
  if (said.type === 'data') expectTypeOf(said.data).toEqualTypeOf<string>();
}
const doubled = defineActor(async (input: number) => `${input * 2}`);
expectTypeOf(doubled.execute(1)).resolves.toEqualTypeOf<string>();

// Local and remote actors have one type.
declare const options: RemoteStreamingActorOptions;
const remote = new RemoteStreamingActor<Question, number>(options);
const local = createActorRegistry().get<Question, number>('typed');
expectTypeOf(remote).toExtend<StreamingActor<Question, number>>();
expectTypeOf(local).toEqualTypeOf<StreamingActor<Question, number>>();
expectTypeOf(collectChunks(remote.stream({ text: '' }))).resolves.toEqualTypeOf<StreamChunk<number>[]>();

createActorRegistry({ actors: { untyped: new Untyped(), typed, counted, doubled, remote } });
// @ts-expect-error -- what has no `stream` is no actor
createActorRegistry({ actors: { none: { execute: async () => 1 } } });
