import type { ExecutionMode } from '../metadata/streaming-metadata.ts';
import type { StepDescription } from '../run/step-runtime.ts';
import type { RetryOptions } from '../step/retry.ts';
import type { StepOptions } from './options.ts';

/** Describes a step, given its key and options; `named` is the step object, where there is one. */
export function describe(
  key: string,
  { errorStrategy, retry, retain, parallel = false }: StepOptions & { readonly parallel?: boolean } = {},
  named?: { readonly name: string; readonly retry?: RetryOptions },
): StepDescription {
  const tries = retry ?? named?.retry;
  const executionMode: ExecutionMode = parallel ? 'parallel-streaming' : 'streaming';
  return {
    key,
    stepName: named?.name ?? key,
    executionMode,
    ...(errorStrategy !== undefined && { errorStrategy }),
    ...(tries !== undefined && { retry: tries }),
    ...(retain !== undefined && { retain }),
  };
}
