import type { StreamEnd } from '@perennial/core';

import type { RunContext, RunWriter } from '../../../src/index.ts';

/** What a stream has to show in the end, whatever happened on the way. */
export interface ExpectedStream {
  /** The live view: who wrote what. Steps are named by their keys. */
  readonly live: readonly (readonly [writer: string, value: unknown])[];
  /** How far the order is given: in whole, of each writer alone, or not at all. @default 'whole' */
  readonly order?: 'whole' | 'writers' | 'none';
  readonly end: ExpectedEnd;
}

/** The parts of an end that do not depend on chance. */
export interface ExpectedEnd {
  readonly outcome: StreamEnd['outcome'];
  readonly code?: string;
}

/** A run whose uninterrupted outcome is known. */
export interface Program {
  readonly name: string;
  readonly body: (context: RunContext) => Promise<unknown>;
  readonly streams: Readonly<Record<string, ExpectedStream>>;
  readonly end: ExpectedEnd;
  /** The value of the run; absent when it fails. */
  readonly value?: unknown;
}

const COMPLETED: ExpectedEnd = { outcome: 'completed' };
const RETRY = { attempts: 4, delayMs: 4, jitter: 0 } as const;

/** Values with who wrote them. */
const by = (writer: string, ...values: readonly unknown[]): (readonly [string, unknown])[] =>
  values.map((value) => [writer, value]);

/** Writes values, each in an append of its own. */
async function write(writer: RunWriter<unknown>, ...values: readonly unknown[]): Promise<void> {
  for (const value of values) {
    const written = await writer.write(value);
    if (!written.ok) throw written.error;
    const flushed = await writer.flush();
    if (!flushed.ok) throw flushed.error;
  }
}

class FlakyError extends Error {
  readonly code = 'FLAKY';
}

const bodyWrites: Program = {
  name: 'body-writes',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'out' });
    await writer.write('a');
    await writer.write('b');
    await write(writer, 'c');
    const value = await step('between', () => 7);
    await write(writer, value, 'd');
    await writer.close();
    return 'written';
  },
  streams: { out: { live: by('body', 'a', 'b', 'c', 7, 'd'), end: COMPLETED } },
  end: COMPLETED,
  value: 'written',
};

const stepTokens: Program = {
  name: 'step-tokens',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'tokens' });
    await writer.write('begin');
    const text = await step(
      'generate',
      async ({ attempt }) => {
        await write(writer, 't1', 't2');
        if (attempt === 1) throw new FlakyError('The first attempt breaks off.');
        await write(writer, 't3', 't4');
        return 't1t2t3t4';
      },
      { retry: RETRY },
    );
    await writer.write('end');
    return text;
  },
  streams: {
    tokens: {
      live: [...by('body', 'begin'), ...by('generate', 't1', 't2', 't3', 't4'), ...by('body', 'end')],
      end: COMPLETED,
    },
  },
  end: COMPLETED,
  value: 't1t2t3t4',
};

const parallelSteps: Program = {
  name: 'parallel-steps',
  async body({ step }) {
    const left = step.getWritable({ namespace: 'left' });
    const right = step.getWritable({ namespace: 'right' });
    const results = await Promise.all([
      step(
        'one',
        async ({ attempt }) => {
          await write(left, 1, 2);
          await write(right, 3);
          if (attempt === 1) throw new FlakyError('One breaks off.');
          return 'one';
        },
        { retry: RETRY },
      ),
      step('two', async () => {
        await write(right, 4);
        await write(left, 5, 6);
        return 'two';
      }),
      write(left, 'body'),
    ]);
    await left.close();
    return results.slice(0, 2);
  },
  streams: {
    left: { live: [...by('one', 1, 2), ...by('two', 5, 6), ...by('body', 'body')], order: 'writers', end: COMPLETED },
    right: { live: [...by('one', 3), ...by('two', 4)], order: 'writers', end: COMPLETED },
  },
  end: COMPLETED,
  value: ['one', 'two'],
};

const closeInStep: Program = {
  name: 'close-in-step',
  async body({ step }) {
    const answer = step.getWritable({ namespace: 'answer' });
    const log = step.getWritable({ namespace: 'log' });
    await write(log, 'asked');
    await step('answer', async () => {
      await write(answer, 'x', 'y');
      await answer.close();
    });
    await write(log, 'answered');
    await log.abort(new FlakyError('The log is given up.'));
    return answer.writable;
  },
  streams: {
    answer: { live: by('answer', 'x', 'y'), end: COMPLETED },
    log: { live: by('body', 'asked', 'answered'), end: { outcome: 'failed', code: 'FLAKY' } },
  },
  end: COMPLETED,
  value: false,
};

const commitStep: Program = {
  name: 'commit-step',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'rows', commit: 'step' });
    await write(writer, 'head');
    await step(
      'load',
      async ({ attempt }) => {
        await writer.write('r1');
        await writer.write('r2');
        if (attempt === 1) throw new FlakyError('The first load breaks off.');
      },
      { retry: RETRY },
    );
    await step('more', async () => void (await writer.write('r3')));
  },
  streams: {
    rows: { live: [...by('body', 'head'), ...by('load', 'r1', 'r2'), ...by('more', 'r3')], end: COMPLETED },
  },
  end: COMPLETED,
};

const continued: Program = {
  name: 'continue',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'answer', onRetry: 'continue' });
    await writer.write('Q');
    return step(
      'generate',
      async ({ attempt, emitted }) => {
        const before = await emitted<number>({ namespace: 'answer' });
        for (let n = before.length; n < 5; n++) {
          await write(writer, n);
          if (attempt === 1 && n === 2) throw new FlakyError('The connection broke.');
        }
        return 5;
      },
      { retry: RETRY },
    );
  },
  streams: { answer: { live: [...by('body', 'Q'), ...by('generate', 0, 1, 2, 3, 4)], end: COMPLETED } },
  end: COMPLETED,
  value: 5,
};

const forEach: Program = {
  name: 'for-each',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'rows' });
    let isFirst = true;
    const result = await step.streamForEach(
      [0, 1, 2, 3, 4, 5, 6],
      async (item) => {
        if (item === 3 && isFirst) {
          isFirst = false;
          throw new FlakyError('Item 3 fails once.');
        }
        await write(writer, item);
      },
      { name: 'each', concurrency: 2, checkpointInterval: 2, retry: RETRY },
    );
    await writer.write('end');
    return result.ok ? result.value.processedCount : result.error.message;
  },
  streams: {
    rows: { live: [...by('each', 0, 1, 2, 3, 4, 5, 6), ...by('body', 'end')], order: 'none', end: COMPLETED },
  },
  end: COMPLETED,
  value: 7,
};

const failedCaught: Program = {
  name: 'failed-caught',
  async body({ step }) {
    const writer = step.getWritable({ namespace: 'out' });
    try {
      await step(
        'risky',
        async () => {
          await write(writer, 'r1', 'r2');
          throw new FlakyError('It always fails.');
        },
        { retry: { ...RETRY, attempts: 2 } },
      );
    } catch {
      await writer.write('caught');
      await step('repair', () => write(writer, 'r3'));
    }
    await writer.close();
  },
  streams: {
    out: {
      live: [...by('risky', 'r1', 'r2'), ...by('body', 'caught'), ...by('repair', 'r3')],
      end: COMPLETED,
    },
  },
  end: COMPLETED,
};

const failedRun: Program = {
  name: 'failed-run',
  async body({ step }) {
    const open = step.getWritable({ namespace: 'open' });
    const done = step.getWritable({ namespace: 'done' });
    await done.write(1);
    await done.close();
    await step('work', () => write(open, 'w1', 'w2'));
    throw new FlakyError('The body gives up.');
  },
  streams: {
    open: { live: by('work', 'w1', 'w2'), end: { outcome: 'failed', code: 'FLAKY' } },
    done: { live: by('body', 1), end: COMPLETED },
  },
  end: { outcome: 'failed', code: 'FLAKY' },
};

const readsItself: Program = {
  name: 'reads-itself',
  async body({ step }) {
    const source = step.getWritable({ namespace: 'source' });
    const copy = step.getWritable({ namespace: 'copy' });
    await step('fill', () => write(source, 1, 2, 3));
    await source.close();
    for await (const value of step.getReadable<number>({ namespace: 'source' })) await copy.write(value * 10);
  },
  streams: {
    source: { live: by('fill', 1, 2, 3), end: COMPLETED },
    copy: { live: by('body', 10, 20, 30), end: COMPLETED },
  },
  end: COMPLETED,
};

/** Tokens of {@link longAnswer}. */
const MANY = Array.from({ length: 300 }, (_, n) => n);

/** A step long enough for somebody to come in between. */
export const longAnswer: Program = {
  name: 'long-answer',
  async body({ step }) {
    const answer = step.getWritable({ namespace: 'answer' });
    const log = step.getWritable({ namespace: 'log' });
    await log.write('asked');
    await step('generate', () => write(answer, ...MANY));
    await log.write('answered');
  },
  streams: {
    answer: { live: by('generate', ...MANY), end: COMPLETED },
    log: { live: by('body', 'asked', 'answered'), end: COMPLETED },
  },
  end: COMPLETED,
};

/** The programs of the crash matrix, by name. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map(
  [
    bodyWrites,
    stepTokens,
    parallelSteps,
    closeInStep,
    commitStep,
    continued,
    forEach,
    failedCaught,
    failedRun,
    readsItself,
  ].map((program) => [program.name, program]),
);

/** @throws when there is none of this name. */
export function programOf(name: string): Program {
  const program = name === longAnswer.name ? longAnswer : PROGRAMS.get(name);
  if (!program) throw new Error(`There is no program ${name}; there are ${[...PROGRAMS.keys()].join(', ')}.`);
  return program;
}
