import { StateNotRetained } from '../errors/streaming-error.ts';
import type { Upstream } from '../stages/upstream.ts';
import type { StreamingState } from '../step/streaming-state.ts';
import type { Tee } from './recorder.ts';
import type { StepRuntime } from './step-runtime.ts';

/** `state.accumulated`: looks values up when asked, so that keeping state costs the stages nothing. */
export function createAccumulated(earlier: readonly StepRuntime[]): object {
  const view = {};
  for (const step of earlier) Object.defineProperty(view, step.key, { enumerable: true, get: () => stateOf(step) });
  return view;
}

/** The state as one step sees it: the steps before it, and the upstream it pulls. */
export function createState(
  step: StepRuntime,
  earlier: readonly StepRuntime[],
  { upstream, accumulated }: { readonly upstream: Upstream; readonly accumulated: object },
): StreamingState<Record<string, unknown>> {
  const find = (key: string): StepRuntime => {
    const found = earlier.find((candidate) => candidate.key === key);
    if (found) return found;
    const known = earlier.map((candidate) => `'${candidate.key}'`).join(', ') || 'none';
    throw new StateNotRetained(
      key,
      `Step '${step.key}' asked for the state of '${key}', which is no step before it (${known}).`,
      step.errorContext(),
    );
  };
  const advance = (of: StepRuntime): Promise<boolean> =>
    upstream.advance(step.run.retainLimit, () => of.record().overflow());
  return {
    accumulated: accumulated as Record<string, unknown>,
    stream(key) {
      const source = find(key);
      return readTee(source.record().open(), async () => !source.complete && (await advance(source)));
    },
    async materialize(key) {
      const source = find(key);
      const tee = source.record().open();
      try {
        while (!source.complete && (await advance(source)));
        return tee.takeAll();
      } finally {
        tee.close();
      }
    },
    hasSnapshot(key) {
      const source = earlier.find((candidate) => candidate.key === key);
      return source !== undefined && isAvailable(source);
    },
  };
}

async function* readTee(tee: Tee, advance: () => Promise<boolean>): AsyncGenerator<never, undefined, undefined> {
  try {
    for (let more = true; more || tee.size > 0;) {
      if (tee.size > 0) yield tee.take() as never;
      else more = await advance();
    }
    return undefined;
  } finally {
    tee.close();
  }
}

function isAvailable(step: StepRuntime): boolean {
  if (step.description.checkpoint) return step.complete || step.emitted > 0;
  return step.latest !== undefined || (step.emitted > 0 && step.description.latest !== false);
}

/** What `accumulated` holds for a step. A checkpoint's array is there from the beginning and fills in place. */
export function stateOf(step: StepRuntime): unknown {
  return step.description.checkpoint ? step.recorder?.kept : step.latest;
}
