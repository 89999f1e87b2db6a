/** What a body does when nothing disturbs it, by a small interpreter that knows nothing of the implementation. */
import type { Op, Program, StepOp } from './program.ts';

/** A result as the journal has it. */
export interface RecordedResult {
  readonly key: string;
  readonly ok: boolean;
  readonly closes: readonly string[];
}

/** The trace of a body. Times are numbers of a clock that ticks with each write, step call and delivery. */
export interface Trace {
  readonly writes: Readonly<Record<string, readonly { readonly value: string; readonly time: number }[]>>;
  readonly steps: ReadonlyMap<string, { readonly called: number; delivered: number }>;
  /** Streams that the body closed, or had closed by a step. */
  readonly closed: ReadonlySet<string>;
  /** How the body came to its end; null: it waits for more results. */
  readonly outcome: 'returned' | 'threw' | null;
}

type Pause = { readonly for: 'operation' } | { readonly for: 'result'; readonly key: string };

interface Thread {
  readonly run: Generator<Pause, void, RecordedResult | undefined>;
  readonly onDone: () => void;
}

/** Interprets a program, given the results in the order in which they were recorded. */
export function trace(program: Program, results: readonly RecordedResult[]): Trace {
  let clock = 0;
  let outcome: Trace['outcome'] = null;
  const writes: Record<string, { value: string; time: number }[]> = {};
  const steps = new Map<string, { called: number; delivered: number }>();
  const closed = new Set<string>();
  /** Threads that wait for an operation, in the order of their calls; null: an operation nobody waits for. */
  const operations: (Thread | null)[] = [];
  const calls = new Map<string, Thread>();

  function* thread(ops: readonly Op[]): Generator<Pause, void, RecordedResult | undefined> {
    for (const op of ops) {
      switch (op.kind) {
        case 'step':
          yield* stepOf(op);
          break;
        case 'parallel':
          yield* parallel(op.branches);
          break;
        case 'write':
          if (!closed.has(op.ns)) (writes[op.ns] ??= []).push({ value: op.value, time: clock++ });
          if (op.awaited) yield { for: 'operation' };
          else operations.push(null);
          break;
        default:
          if (op.kind === 'close') closed.add(op.ns);
          if (op.awaited) yield { for: 'operation' };
          else operations.push(null);
      }
    }
  }

  function* stepOf({ key, isCaught }: StepOp): Generator<Pause, void, RecordedResult | undefined> {
    steps.set(key, { called: clock++, delivered: Infinity });
    const result = yield { for: 'result', key };
    if (result && !result.ok && !isCaught) throw new Error(key);
  }

  function* parallel(branches: readonly (readonly Op[])[]): Generator<Pause, void, RecordedResult | undefined> {
    let left = branches.length;
    const parent = current;
    for (const ops of branches) {
      advance({
        run: thread(ops),
        onDone: () => {
          if (--left === 0 && parent) advance(parent);
        },
      });
    }
    current = parent;
    // Resumed by the last branch.
    yield { for: 'result', key: '' };
  }

  let current: Thread | null = null;

  function advance(next: Thread, result?: RecordedResult): void {
    if (outcome === 'threw') return;
    const before = current;
    current = next;
    try {
      const { value, done } = next.run.next(result);
      if (done) next.onDone();
      else if (value.for === 'operation') operations.push(next);
      else if (value.key !== '') calls.set(value.key, next);
    } catch {
      outcome = 'threw';
    } finally {
      current = before;
    }
  }

  advance({ run: thread(program.ops), onDone: () => (outcome ??= 'returned') });
  for (let index = 0; outcome === null;) {
    if (operations.length > 0) {
      const next = operations.shift();
      if (next) advance(next);
      continue;
    }
    const result = results[index];
    const caller = result && calls.get(result.key);
    if (!result || !caller) break;
    index++;
    calls.delete(result.key);
    const step = steps.get(result.key);
    if (step) step.delivered = clock++;
    for (const ns of result.closes) {
      closed.add(ns);
      operations.push(null);
    }
    advance(caller, result);
  }
  return { writes, steps, closed, outcome };
}
