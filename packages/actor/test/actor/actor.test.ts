/** What consumers of a local actor can rely on, whatever its author overrides. */
import type { StreamChunk } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import {
  Actor,
  type ActorContext,
  type ActorStream,
  collectChunks,
  collectResult,
  collectWithProgress,
  createActorContext,
  createActorRegistry,
  createTeam,
  defineActor,
  throwOnError,
  WorkflowExecutor,
} from '../../src/index.ts';

class Doubler extends Actor<number, number> {
  override async execute(input: number): Promise<number> {
    return input * 2;
  }
}

class Counter extends Actor<number, number> {
  override async *stream(input: number): ActorStream<number> {
    for (let i = 1; i <= input; i++) yield { type: 'data', data: i };
    yield { type: 'complete', data: input };
  }
}

describe('an actor that overrides one method has both', () => {
  it('streams execute as one complete chunk', async () => {
    expect(await collectChunks(new Doubler().stream(21))).toEqual([{ type: 'complete', data: 42 }]);
  });

  it('executes stream by its complete chunk', async () => {
    expect(await new Counter().execute(3)).toBe(3);
  });

  it('rejects execute with the error chunk of stream', async () => {
    const failing = defineActor(async function* () {
      yield { type: 'data', data: 1 };
      yield { type: 'error', error: { code: 'TIMEOUT', message: 'too slow' } };
    });
    await expect(failing.execute({})).rejects.toMatchObject({ code: 'FAILED', failureCode: 'TIMEOUT' });
  });

  it('names the class that overrides nothing', async () => {
    class Idle extends Actor {}
    const refused = { code: 'NOT_IMPLEMENTED', message: expect.stringContaining('Idle') };
    await expect(new Idle().execute(1)).rejects.toMatchObject(refused);
    await expect(collectChunks(new Idle().stream(1))).rejects.toMatchObject(refused);
  });

  it('does not recurse when an override calls the base method that needs the other one', async () => {
    class Base extends Actor<number, number> {
      override async *stream(input: number, context: ActorContext): ActorStream<number> {
        yield* super.stream(input, context);
      }
    }
    const base: Actor<number, number> = new Base();
    await expect(collectChunks(base.stream(1))).rejects.toMatchObject({ code: 'NOT_IMPLEMENTED' });
  });

  it('lets an override extend the base stream', async () => {
    class Announced extends Doubler {
      override async *stream(input: number, context: ActorContext): ActorStream<number> {
        yield { type: 'start' };
        yield* super.stream(input, context);
      }
    }
    const announced: Actor<number, number> = new Announced();
    expect(await collectChunks(announced.stream(2))).toEqual([{ type: 'start' }, { type: 'complete', data: 4 }]);
  });
});

describe('a stream ends exactly once', () => {
  it('adds a complete chunk where the generator forgot it', async () => {
    const forgetful = defineActor(async function* () {
      yield { type: 'data', data: 'a' };
    });
    expect(await collectChunks(forgetful.stream({}))).toEqual([{ type: 'data', data: 'a' }, { type: 'complete' }]);
  });

  it('hands out nothing after the last chunk, and lets the generator clean up', async () => {
    const log: string[] = [];
    const talkative = defineActor(async function* () {
      try {
        yield { type: 'complete', data: 1 };
        yield { type: 'data', data: 2 };
      } finally {
        log.push('cleaned up');
      }
    });
    expect(await collectChunks(talkative.stream({}))).toEqual([{ type: 'complete', data: 1 }]);
    expect(log).toEqual(['cleaned up']);
  });

  it('throws what the actor throws, after the chunks before it', async () => {
    const boom = new Error('boom');
    const broken = defineActor(async function* () {
      yield { type: 'data', data: 1 };
      throw boom;
    });
    const seen: StreamChunk[] = [];
    const loop = async (): Promise<void> => {
      for await (const chunk of broken.stream({})) seen.push(chunk);
    };
    await expect(loop()).rejects.toBe(boom);
    expect(seen).toEqual([{ type: 'data', data: 1 }]);
  });

  it('makes errors in chunks serialisable and keeps their details', async () => {
    const cause = Object.assign(new RangeError('out of range'), { code: 'E_RANGE' });
    const failing = defineActor(async function* () {
      yield { type: 'error', error: cause };
    });
    const chunks = await collectChunks(failing.stream({}));
    expect(JSON.parse(JSON.stringify(chunks))).toEqual([
      { type: 'error', error: { code: 'E_RANGE', message: 'out of range', name: 'RangeError' } },
    ]);
  });

  it('takes a plain value for data', async () => {
    class Plain extends Actor {
      override async *stream(): AsyncGenerator<never, void, unknown> {
        yield { status: 'started' } as never;
      }
    }
    expect(await collectChunks(new Plain().stream())).toEqual([
      { type: 'data', data: { status: 'started' } },
      { type: 'complete' },
    ]);
  });

  it('refuses a progress chunk without numbers', async () => {
    const vague = defineActor(async function* () {
      yield { type: 'progress', progress: { current: 'half' } as unknown as { current: number; total: number } };
    });
    await expect(collectChunks(vague.stream({}))).rejects.toMatchObject({ code: 'INVALID_CHUNK' });
  });
});

describe('leaving cancels', () => {
  /** Yields one chunk, then waits for its signal only. */
  function patient(): { actor: Actor; fired: Promise<unknown>; cleaned: () => boolean } {
    let report: (reason: unknown) => void;
    let cleaned = false;
    const fired = new Promise<unknown>((resolve) => (report = resolve));
    const actor = defineActor(async function* (_input: unknown, context) {
      context.signal.addEventListener('abort', () => report(context.signal.reason));
      try {
        yield { type: 'data', data: 1 };
        await new Promise(() => {});
      } finally {
        cleaned = true;
      }
    });
    return { actor, fired, cleaned: () => cleaned };
  }

  it('fires the signal and runs the finally blocks on break', async () => {
    const { actor, fired, cleaned } = patient();
    for await (const chunk of actor.stream({})) if (chunk.type === 'data') break;
    expect(await fired).toMatchObject({ code: 'ABORTED' });
    expect(cleaned()).toBe(true);
  });

  it('fires the signal when the consumer leaves while the actor works', async () => {
    const { actor, fired } = patient();
    const stream = actor.stream({});
    await stream.next();
    const pending = stream.next();
    await stream.return();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await fired).toMatchObject({ code: 'ABORTED' });
  });

  it('ends a waiting stream when the caller aborts, also if the actor does not listen', async () => {
    const { actor } = patient();
    const caller = new AbortController();
    const stream = actor.stream({}, { signal: caller.signal });
    await stream.next();
    const pending = stream.next();
    caller.abort(new Error('closed the tab'));
    await expect(pending).rejects.toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('closed the tab'),
    });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('does not start work that was aborted before', async () => {
    let started = false;
    const actor = defineActor(async function* () {
      started = true;
      yield { type: 'complete' };
    });
    await expect(collectChunks(actor.stream({}, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await expect(actor.execute({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(started).toBe(false);
  });

  it('does not fire the signal of work that ended by itself', async () => {
    let signal: AbortSignal | undefined;
    const actor = defineActor(async function* (_input: unknown, context) {
      ({ signal } = context);
      yield { type: 'complete' };
    });
    await collectChunks(actor.stream({}));
    expect(signal?.aborted).toBe(false);
  });

  it('stops a model call of the actor that waits for its next token', async () => {
    const hanging = async function* (_prompt: unknown, options?: { readonly signal?: AbortSignal }) {
      yield 'once';
      await new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('stopped'))));
    };
    let ended: () => void;
    const stopped = new Promise<void>((resolve) => (ended = resolve));
    const actor = defineActor(async function* (_input: unknown, { ai }) {
      try {
        for await (const token of ai.streamCompletion('tell')) yield { type: 'data', data: token };
      } finally {
        ended();
      }
    });
    const stream = actor.stream({}, { ai: { complete: async () => '', streamCompletion: hanging } });
    await stream.next();
    void stream.next();
    await stream.return();
    await expect(stopped).resolves.toBeUndefined();
  });
});

describe('helpers', () => {
  const working = defineActor(async function* () {
    yield { type: 'start', data: 'go' };
    yield { type: 'progress', progress: { current: 1, total: 2 } };
    yield { type: 'data', data: 'half' };
    yield { type: 'complete', data: 'whole' };
  });

  it('collects the result with progress on the way', async () => {
    const seen: unknown[] = [];
    const result = await collectWithProgress(working.stream({}), {
      onStart: (data) => void seen.push(data),
      onProgress: (progress) => void seen.push(progress),
      onData: (data) => void seen.push(data),
    });
    expect(result).toBe('whole');
    expect(seen).toEqual(['go', { current: 1, total: 2 }, 'half']);
    expect(await collectResult(working.stream({}))).toBe('whole');
  });

  it('throws error chunks where asked to', async () => {
    const failing = defineActor(async function* () {
      yield { type: 'error', error: { code: 'X', message: 'no' } };
    });
    await expect(collectChunks(throwOnError(failing.stream({})))).rejects.toMatchObject({ failure: { code: 'X' } });
  });
});

describe('the registry', () => {
  it('lends its model to actors that a team or a workflow calls', async () => {
    const ai = { complete: async () => 'hello', async *streamCompletion() {} };
    const greet = defineActor(async (_: unknown, context) => context.ai.complete('hi'));
    const registry = createActorRegistry({ ai, actors: { greet } });
    const executor = new WorkflowExecutor({ registry });
    const definition = { name: 'w', actions: [{ type: 'actor', actorType: 'greet' }] } as const;
    expect(await executor.execute(definition)).toEqual({ greet: 'hello' });
    expect(await createTeam({ members: { Greeter: registry.get('greet') } }).execute('')).toEqual({ Greeter: 'hello' });
  });

  it('binds its model, lists what there is and names what there is not', async () => {
    const ai = { complete: async () => 'hello', async *streamCompletion() {} };
    const registry = createActorRegistry({ ai, actors: { double: new Doubler() } });
    registry.register(
      'greet',
      defineActor(async (_: unknown, context) => context.ai.complete('hi')),
      {
        description: 'Greets',
      },
    );
    expect(await registry.get('greet').execute({})).toBe('hello');
    expect(await registry.get('double').execute(4)).toBe(8);
    expect(registry.list()).toEqual([
      { type: 'double', streaming: false },
      { type: 'greet', streaming: true, description: 'Greets' },
    ]);
    expect(() => registry.get('nobody')).toThrow(/"nobody".*"double", "greet"/);
    expect(() => registry.register('double', new Doubler())).toThrow(/already/);
    expect(() => registry.register('bad', {} as Doubler)).toThrow(/`execute` and `stream`/);
    expect(() => registry.register('', new Doubler())).toThrow(/`type`/);
  });

  it('says what is missing when an actor uses a model that is not there', async () => {
    const actor = defineActor(async (_: unknown, context) => context.ai.complete('hi'));
    await expect(actor.execute({})).rejects.toMatchObject({ code: 'NOT_CONFIGURED' });
    expect(createActorContext().attempt).toBe(1);
  });
});
