/** Writers of a run: whose writes they are, when they count, and when they are refused. */
import {
  collect,
  createMemoryStreamStore,
  isStreamWriteError,
  type Result,
  type StreamWriteError,
} from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type WorkflowEvent, type WorkflowOptions } from '../../src/index.ts';
import { createGate } from '../support/gate.ts';
import { rawTexts } from '../support/records.ts';

const create = (options: Partial<WorkflowOptions> = {}) => {
  const streamStore = createMemoryStreamStore();
  return { streamStore, workflow: createWorkflow('writers', {}, { streamStore, ...options }) };
};

const reasonOf = (result: Result<void, StreamWriteError>): string =>
  result.ok
    ? 'ok'
    : isStreamWriteError(result.error)
      ? `${result.error.reason} ${result.error.code}`
      : 'no write error';

/** Runs a function without the asynchronous context of its caller, as callbacks of native libraries do. */
const pool = new (class {
  readonly #queue: (() => void)[] = [];
  #wake = (): void => undefined;
  constructor() {
    void (async () => {
      for (;;) {
        for (const task of this.#queue.splice(0)) task();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    })();
  }
  run<T>(task: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.push(() => void (async () => task())().then(resolve, reject));
      this.#wake();
    });
  }
})();

describe('whose write it is', () => {
  it('is that of the step that calls, also through a writer of the body', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.write('from the body');
      const inStep = (name: string) => step(name, async () => void (await writer.write(`from ${name}`)));
      await Promise.all([inStep('a'), inStep('b')]);
      return writer.position;
    });
    expect(await handle.result).toEqual({ ok: true, value: 3 });
    expect((await rawTexts(streamStore, handle.runId, 'out')).toSorted()).toEqual([
      'from a (a/1)',
      'from b (b/1)',
      'from the body',
    ]);
  });

  it('is that of the only running step when the context is lost', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await step('a', async () => reasonOf(await pool.run(() => writer.write('x'))));
    });
    await handle.result;
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['x (a/1)']);
  });

  it('is nobody’s when several steps run and the context is lost; the writer a step is given knows', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      const gate = createGate();
      const waits = step('b', () => gate.pass());
      const written = await step('a', async ({ writable }) => {
        await gate.reached;
        const bound = writable<string>({ namespace: 'out' });
        return Promise.all([
          pool.run(() => writer.write('x')).then(reasonOf),
          pool.run(() => writer.flush()).then(reasonOf),
          pool.run(() => writer.close()).then(reasonOf),
          pool.run(() => bound.write('bound')).then(reasonOf),
        ]);
      });
      gate.open();
      await waits;
      return written;
    });
    const lost = 'context_lost WRITER_CONTEXT_LOST';
    expect(await handle.result).toEqual({ ok: true, value: [lost, lost, lost, 'ok'] });
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['bound (a/1)']);
  });
});

describe('an attempt that is over', () => {
  it('can write no more', async () => {
    const { workflow, streamStore } = create();
    const late = Promise.withResolvers<string>();
    const handle = workflow.start(async ({ step }) => {
      await step('a', ({ writable }) => {
        const writer = writable<string>({ namespace: 'out' });
        void writer.write('in time');
        setImmediate(() => void writer.write('late').then((result) => late.resolve(reasonOf(result))));
      });
      await late.promise;
    });
    expect((await handle.result).ok).toBe(true);
    expect(await late.promise).toBe('aborted ABORTED');
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['in time (a/1)']);
  });

  it('is retracted when it is repeated, in every stream it wrote to and no other', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      await step.getWritable({ namespace: 'untouched' }).write('body');
      await step(
        'a',
        async ({ writable, attempt }) => {
          for (const namespace of ['one', 'two']) {
            const writer = writable({ namespace });
            await writer.write(`a${attempt}`);
            await writer.flush();
          }
          if (attempt === 1) throw new Error('again');
        },
        { retry: { delayMs: 0 } },
      );
    });
    expect((await handle.result).ok).toBe(true);
    for (const namespace of ['one', 'two']) {
      expect(await rawTexts(streamStore, handle.runId, namespace)).toEqual(['a1 (a/1)', 'below a/2', 'a2 (a/2)']);
      expect(await collect(handle.reader({ namespace }))).toEqual(['a2']);
    }
    expect(await rawTexts(streamStore, handle.runId, 'untouched')).toEqual(['body']);
  });
});

describe('memory of a writer', () => {
  it('is bounded: `write` waits at the high-water mark until the store has taken something', async () => {
    const streamStore = createMemoryStreamStore();
    const gate = createGate();
    const slow = new Proxy(streamStore, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'append' || typeof value !== 'function')
          return typeof value === 'function' ? value.bind(target) : value;
        return async (id: string, ...rest: unknown[]): Promise<unknown> => {
          if (id.endsWith('/out')) await gate.pass();
          return Reflect.apply(value, target, [id, ...rest]);
        };
      },
    });
    let accepted = 0;
    const handle = createWorkflow('writers', {}, { streamStore: slow }).start(({ step }) =>
      step('a', async ({ writable }) => {
        const writer = writable<number>({ namespace: 'out', highWaterMark: 4 });
        for (let i = 0; i < 20; i++) {
          await writer.write(i);
          accepted++;
        }
      }),
    );
    await gate.reached;
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBeLessThanOrEqual(4);
    gate.open();
    expect((await handle.result).ok).toBe(true);
    expect(accepted).toBe(20);
  });
});

describe("commit: 'step'", () => {
  it('shows the writes of a step when it succeeds, those of a failed attempt never', async () => {
    const { workflow, streamStore } = create();
    const gate = createGate();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out', commit: 'step' });
      const live = step.getWritable<string>({ namespace: 'live' });
      await writer.write('body');
      await step(
        'a',
        async ({ attempt }) => {
          await writer.write(`a${attempt}`);
          await live.write(`a${attempt}`);
          await live.flush();
          if (attempt === 1) throw new Error('again');
          await gate.pass();
        },
        { retry: { delayMs: 0 } },
      );
    });
    await gate.reached;
    expect(await rawTexts(streamStore, handle.runId, 'live')).toEqual(['a1 (a/1)', 'below a/2', 'a2 (a/2)']);
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['body']);
    gate.open();
    await handle.result;
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['body', 'a2 (a/2)']);
  });

  it('holds at most 16 MiB: more fails the step, also when the error was ignored', async () => {
    const { workflow, streamStore } = create();
    const part = 'x'.repeat(1_048_576);
    const reasons: string[] = [];
    const handle = workflow.start(({ step }) =>
      step('a', async ({ writable }) => {
        const writer = writable<string>({ namespace: 'out', commit: 'step' });
        for (let i = 0; i < 17; i++) reasons.push(reasonOf(await writer.write(part)));
      }),
    );
    expect(await handle.result).toMatchObject({ ok: false, error: { failureCode: 'LIMIT_EXCEEDED' } });
    expect(reasons.at(0)).toBe('ok');
    expect(reasons.at(-1)).toBe('store_error LIMIT_EXCEEDED');
    expect(await streamStore.head(handle.streamId('out'))).toBeNull();
  });
});

describe('closing', () => {
  it('in the body waits for the steps that were called before, and lets none in that are called after', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      const gate = createGate();
      const before = step('before', async () => {
        await gate.pass();
        await writer.write('before');
      });
      await gate.reached;
      const closed = writer.close();
      const after = step('after', async () => reasonOf(await writer.write('after')));
      gate.open();
      await before;
      const refused = await after;
      return [refused, reasonOf(await closed), writer.writable];
    });
    expect(await handle.result).toEqual({ ok: true, value: ['closed CLOSED', 'ok', false] });
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['before (before/1)']);
  });

  it('in a step counts when the step succeeds', async () => {
    const { workflow, streamStore } = create();
    const gate = createGate();
    const handle = workflow.start(async ({ step }) => {
      await step(
        'a',
        async ({ writable, attempt }) => {
          const writer = writable<string>({ namespace: 'out' });
          await writer.write(`a${attempt}`);
          await writer.close();
          if (attempt === 1) throw new Error('again');
          expect(reasonOf(await writer.write('late'))).toBe('closed CLOSED');
          await gate.pass();
        },
        { retry: { delayMs: 0 } },
      );
      await step('b', () => 'the run goes on');
    });
    await gate.reached;
    expect((await streamStore.head(handle.streamId('out')))?.end).toBeNull();
    gate.open();
    expect((await handle.result).ok).toBe(true);
    expect(await collect(handle.reader({ namespace: 'out' }))).toEqual(['a2']);
    expect((await streamStore.head(handle.streamId('out')))?.end).toEqual({ outcome: 'completed' });
  });

  it('as an abort ends the stream as failed, and the run goes on', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.abort(new Error('the model went away'));
      await writer.close();
      await step('b', ({ writable }) => void writable({ namespace: 'inner' }).abort());
      return 'done';
    });
    expect(await handle.result).toEqual({ ok: true, value: 'done' });
    const endOf = async (namespace: string) => (await streamStore.head(handle.streamId(namespace)))?.end;
    expect(await endOf('out')).toMatchObject({ outcome: 'failed', error: { message: 'the model went away' } });
    expect(await endOf('inner')).toMatchObject({ outcome: 'failed', error: { code: 'ABORTED' } });
  });
});

describe('values', () => {
  it('that JSON cannot carry are refused, and harm nothing', async () => {
    const { workflow, streamStore } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable({ namespace: 'out' });
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      const reasons: string[] = [];
      for (const value of [10n, undefined, () => 1, cyclic, 'fine']) reasons.push(reasonOf(await writer.write(value)));
      return { reasons, position: writer.position };
    });
    const refused = 'unserialisable UNSERIALISABLE';
    expect(await handle.result).toEqual({
      ok: true,
      value: { reasons: [refused, refused, refused, refused, 'ok'], position: 1 },
    });
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['fine']);
  });

  it('are bytes in a stream of another content type', async () => {
    const { workflow } = create();
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable({ namespace: 'out', contentType: 'application/octet-stream' });
      const text = reasonOf(await writer.write('text'));
      await writer.write(new Uint8Array([1, 2]));
      return text;
    });
    expect(await handle.result).toEqual({ ok: true, value: 'unserialisable UNSERIALISABLE' });
    expect(await collect(handle.reader({ namespace: 'out' }))).toEqual([new Uint8Array([1, 2])]);
  });
});

describe('after the run', () => {
  it('a writer takes nothing', async () => {
    const { workflow, streamStore } = create();
    const kept: { writer?: { write(value: string): Promise<Result<void, StreamWriteError>>; writable: boolean } } = {};
    const handle = workflow.start(async ({ step }) => {
      kept.writer = step.getWritable<string>({ namespace: 'out' });
      await kept.writer.write('in time');
    });
    await handle.result;
    const late = await kept.writer?.write('late');
    expect(late && !late.ok).toBe(true);
    expect(kept.writer?.writable).toBe(false);
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['in time']);
  });

  it('writes and closes that the body did not await are there', async () => {
    const events: WorkflowEvent['type'][] = [];
    const { workflow, streamStore } = create({ onEvent: ({ type }) => events.push(type) });
    const handle = workflow.start(({ step }) => {
      const writer = step.getWritable<number>({ namespace: 'out' });
      for (let i = 0; i < 3; i++) void writer.write(i);
      void writer.close();
    });
    expect((await handle.result).ok).toBe(true);
    expect(await rawTexts(streamStore, handle.runId, 'out')).toEqual(['0', '1', '2']);
    expect(events.filter((type) => type === 'stream_close')).toHaveLength(1);
  });
});

describe('onRetry: continue', () => {
  it('keeps what earlier attempts wrote, and tells the next attempt', async () => {
    const { workflow, streamStore } = create();
    const words = ['to ', 'be ', 'or ', 'not'];
    const handle = workflow.start(({ step }) => {
      const answer = step.getWritable<string>({ namespace: 'answer', onRetry: 'continue' });
      return step(
        'generate',
        async ({ emitted, attempt }) => {
          const done = await emitted<string>({ namespace: 'answer' });
          for (const word of words.slice(done.length)) {
            await answer.write(word);
            await answer.flush();
            if (word === words[attempt - 1] && attempt < 3) throw new Error('cut off');
          }
          return done.length;
        },
        { retry: { delayMs: 0 } },
      );
    });
    expect(await handle.result).toEqual({ ok: true, value: 2 });
    expect(await collect(handle.reader<string>({ namespace: 'answer' }))).toEqual(words);
    expect(await rawTexts(streamStore, handle.runId, 'answer')).toEqual([
      'to  (generate/1)',
      'be  (generate/2)',
      'or  (generate/3)',
      'not (generate/3)',
    ]);
  });
});
