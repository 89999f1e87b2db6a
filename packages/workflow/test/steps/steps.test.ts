/** What a step promises: run once, recorded, repeated as told, stopped in time. */
import { createMemoryStreamStore, err, ok } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import {
  createWorkflow,
  isWorkflowError,
  type Step,
  StepFailedError,
  type StepOptions,
  type WorkflowEvent,
  type WorkflowOptions,
} from '../../src/index.ts';
import { createGate, forever } from '../support/gate.ts';

function create(options: Partial<WorkflowOptions> = {}) {
  return createWorkflow('steps', {}, { streamStore: createMemoryStreamStore(), ...options });
}

describe('a step', () => {
  it('gives the result of the first call to later calls with its key', async () => {
    let calls = 0;
    const result = await create().run(async ({ step }) => {
      const first = await step('count', () => ++calls, { key: 'k' });
      const second = await step('another name', () => ++calls, { key: 'k' });
      const both = await Promise.all([step('x', () => ++calls, { key: 'p' }), step('x', () => ++calls, { key: 'p' })]);
      return { first, second, both };
    });
    expect(result).toEqual({ ok: true, value: { first: 1, second: 1, both: [2, 2] } });
    expect(calls).toBe(2);
  });

  it('is told apart by the ordinal of its name', async () => {
    const keys = await create().run(async ({ step }) => {
      const found: string[] = [];
      for (const name of ['a', 'a', 'b', 'a']) found.push(await step(name, ({ key }) => key));
      return found;
    });
    expect(keys).toEqual({ ok: true, value: ['a', 'a#2', 'b', 'a#3'] });
  });

  it('unwraps a Result, and fails with its error', async () => {
    const result = await create().run(async ({ step }) => {
      const value: number = await step('fine', () => ok(7));
      const failed = await step('broken', () => err({ why: 'empty', left: [1, 2] })).catch((error: unknown) => error);
      if (!(failed instanceof StepFailedError)) throw failed;
      return { value, step: failed.step, attempt: failed.attempt, code: failed.code, error: failed.error };
    });
    expect(result).toEqual({
      ok: true,
      value: { value: 7, step: 'broken', attempt: 1, code: 'STEP_FAILED', error: { why: 'empty', left: [1, 2] } },
    });
  });

  it('gives its caller what the journal keeps, from the first run on', async () => {
    const result = await create().run(async ({ step }) => [
      await step('date', () => new Date(0)),
      await step('nothing', () => undefined),
      await step('null', () => null),
      await step('an object with ok', () => ({ ok: true, value: 1, more: 2 })),
    ]);
    expect(result).toEqual({
      ok: true,
      value: ['1970-01-01T00:00:00.000Z', undefined, null, { ok: true, value: 1, more: 2 }],
    });
  });

  it('keeps name, code, message and fields of an error', async () => {
    class PaymentError extends Error {
      override name = 'PaymentError';
      code = 'DECLINED';
      amount = 12;
    }
    const result = await create().run(async ({ step }) =>
      step('pay', () => {
        throw new PaymentError('The card was declined.');
      }),
    );
    expect(result).toMatchObject({
      ok: false,
      error: {
        code: 'STEP_FAILED',
        failureCode: 'DECLINED',
        message: 'Step "pay" failed in attempt 1: The card was declined.',
        error: { name: 'PaymentError', message: 'The card was declined.', code: 'DECLINED', amount: 12 },
      },
    });
  });

  it('refuses a result that JSON cannot carry, without repeating it', async () => {
    let calls = 0;
    const result = await create().run(({ step }) =>
      step(
        'big',
        () => {
          calls++;
          return { n: 10n };
        },
        { retry: { attempts: 5, delayMs: 0 } },
      ),
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', failureCode: 'UNSERIALISABLE' } });
    expect(calls).toBe(1);
  });

  it('cannot be called inside a step', async () => {
    const result = await create().run(({ step }) => step('outer', () => step('inner', () => 1)));
    expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', failureCode: 'NESTED_STEP' } });
  });

  it('may fail unawaited without taking the process down', async () => {
    const result = await create().run(async ({ step }) => {
      void step('ignored', () => {
        throw new Error('nobody looks');
      });
      return step('other', () => 1);
    });
    expect(result).toEqual({ ok: true, value: 1 });
  });

  const refused: [string, (step: Step) => unknown, string][] = [
    ['an empty name', (step) => step('', () => 1), 'name'],
    ['a name that begins with $', (step) => step('$x', () => 1), 'name'],
    ['a lone surrogate', (step) => step('\ud800', () => 1), 'name'],
    ['a key that is too long', (step) => step('a', () => 1, { key: 'k'.repeat(513) }), 'key'],
    ['an empty key', (step) => step('a', () => 1, { key: '' }), 'key'],
    ['no function', (step) => step('a', 5 as unknown as () => number), 'fn'],
    ['attempts of 0', (step) => step('a', () => 1, { retry: { attempts: 0 } }), 'retry.attempts'],
    ['a negative delay', (step) => step('a', () => 1, { retry: { delayMs: -1 } }), 'retry.delayMs'],
    ['jitter above 1', (step) => step('a', () => 1, { retry: { jitter: 1.5 } }), 'retry.jitter'],
    ['an unknown backoff', (step) => step('a', () => 1, { retry: { backoff: 'none' as 'fixed' } }), 'retry.backoff'],
    ['a timeout of 0', (step) => step('a', () => 1, { timeout: 0 }), 'timeout'],
    ['a timeout that no timer can wait', (step) => step('a', () => 1, { timeout: 2 ** 31 }), 'timeout'],
    ['a delay that no timer can wait', (step) => step('a', () => 1, { retry: { delayMs: 2 ** 31 } }), 'retry.delayMs'],
    ['a timeout that is no number', (step) => step('a', () => 1, { timeout: NaN }), 'timeout'],
  ];

  it.each(refused)('refuses %s, naming the argument', async (_, call, argument) => {
    const result = await create().run(async ({ step }) => {
      try {
        await call(step);
      } catch (error) {
        return error instanceof Error && 'argument' in error ? error.argument : String(error);
      }
      return 'was accepted';
    });
    expect(result).toEqual({ ok: true, value: argument });
  });
});

describe('retry', () => {
  /** Runs a step that fails until attempt `succeedAt`. */
  async function attemptsOf(retry: StepOptions['retry'], { succeedAt = Infinity, random = (): number => 1 } = {}) {
    const delays: number[] = [];
    let calls = 0;
    const onEvent = (event: WorkflowEvent): void => {
      if (event.type === 'step_retrying') delays.push(event.delayMs);
    };
    const result = await create({ onEvent, random }).run(({ step }) =>
      step(
        'flaky',
        ({ attempt }) => {
          calls++;
          if (attempt < succeedAt) throw Object.assign(new Error(`attempt ${attempt}`), { code: `E${attempt}` });
          return attempt;
        },
        { ...(retry && { retry }) },
      ),
    );
    return { result, delays, calls };
  }

  it('does not happen by default', async () => {
    const { result, calls } = await attemptsOf(undefined);
    expect(calls).toBe(1);
    expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', attempt: 1 } });
  });

  it('goes on until an attempt succeeds', async () => {
    const { result, calls } = await attemptsOf({ attempts: 5, delayMs: 0 }, { succeedAt: 4 });
    expect(result).toEqual({ ok: true, value: 4 });
    expect(calls).toBe(4);
  });

  it('gives up after `attempts`, with the last error', async () => {
    const { result, calls } = await attemptsOf({ attempts: 3, delayMs: 0 });
    expect(calls).toBe(3);
    expect(result).toMatchObject({ ok: false, error: { attempt: 3, failureCode: 'E3' } });
  });

  it.each([
    ['exponential', [2, 4, 8, 10]],
    ['linear', [2, 4, 6, 8]],
    ['fixed', [2, 2, 2, 2]],
  ] as const)('waits as %s backoff says, at most `maxDelayMs`', async (backoff, expected) => {
    const { delays } = await attemptsOf({ attempts: 5, backoff, delayMs: 2, maxDelayMs: 10 });
    expect(delays).toEqual(expected);
  });

  it('takes a random share off the wait', async () => {
    const retry = { attempts: 2, backoff: 'fixed', delayMs: 8 } as const;
    const waits = async (jitter: number, random: number): Promise<number[]> =>
      (await attemptsOf({ ...retry, jitter }, { random: () => random })).delays;
    expect(await waits(0, 0)).toEqual([8]);
    expect(await waits(0.5, 0)).toEqual([4]);
    expect(await waits(1, 0.25)).toEqual([2]);
  });

  it('asks `retryIf` about the error that was thrown, or was the error of a Result', async () => {
    const asked: unknown[] = [];
    const retryIf = (error: unknown, attempt: number): boolean => {
      asked.push([error instanceof Error ? error.message : error, attempt]);
      return attempt < 2;
    };
    const result = await create().run(({ step }) =>
      step('flaky', ({ attempt }) => (attempt === 1 ? err('first') : Promise.reject(new Error('second'))), {
        retry: { attempts: 9, delayMs: 0, retryIf },
      }),
    );
    expect(asked).toEqual([
      ['first', 1],
      ['second', 2],
    ]);
    expect(result).toMatchObject({ ok: false, error: { attempt: 2 } });
  });
});

describe('timeout of a step', () => {
  it('fires the attempt’s signal and fails it with TIMEOUT, though the function goes on', async () => {
    const seen: unknown[] = [];
    const result = await create().run(({ step }) =>
      step(
        'slow',
        ({ signal }) => {
          signal.addEventListener('abort', () => seen.push(isWorkflowError(signal.reason, 'TIMEOUT')));
          return forever();
        },
        { timeout: 5 },
      ),
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', failureCode: 'TIMEOUT' } });
    expect(seen).toEqual([true]);
  });

  it('counts for each attempt anew', async () => {
    const result = await create().run(({ step }) =>
      step('slow', ({ attempt }) => (attempt < 3 ? forever() : attempt), {
        timeout: 5,
        retry: { attempts: 3, delayMs: 0 },
      }),
    );
    expect(result).toEqual({ ok: true, value: 3 });
  });
});

describe('cancellation', () => {
  it('reaches the signal of a step', async () => {
    const gate = createGate();
    const seen: unknown[] = [];
    const handle = create().start(({ step }) =>
      step('slow', async ({ signal }) => {
        signal.addEventListener('abort', () => seen.push(isWorkflowError(signal.reason, 'CANCELLED')));
        await gate.pass();
      }),
    );
    await gate.reached;
    await handle.cancel('enough');
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED', cause: 'enough' } });
    expect(seen).toEqual([true]);
  });

  it('ends a wait between two attempts', async () => {
    const retrying = Promise.withResolvers<void>();
    const workflow = create({ onEvent: ({ type }) => type === 'step_retrying' && retrying.resolve() });
    const handle = workflow.start(({ step }) =>
      step('flaky', () => Promise.reject(new Error('no')), { retry: { delayMs: 3_600_000, maxDelayMs: 3_600_000 } }),
    );
    await retrying.promise;
    await handle.cancel();
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });
});
