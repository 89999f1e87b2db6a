/** Actors of the worker processes. */
import { setTimeout as wait } from 'node:timers/promises';

import { defineActor } from '../../src/index.ts';

/** Numbers from 1, slowly enough to be killed in the middle. */
export const count = defineActor(async function* (input: { to: number; everyMs: number }) {
  yield { type: 'start' };
  for (let i = 1; i <= input.to; i++) {
    await wait(input.everyMs);
    yield { type: 'data', data: i };
  }
  yield { type: 'complete', data: input.to };
});

/** As `count`, but says in each attempt something else, as a model does. */
export const restless = defineActor(async function* (input: { to: number; everyMs: number }, { attempt }) {
  for (let i = 1; i <= input.to; i++) {
    await wait(input.everyMs);
    yield { type: 'data', data: `${attempt}:${i}` };
  }
  yield { type: 'complete', data: attempt };
});

/** Kills its worker, each time it is begun. */
export const poison = defineActor(async function* (_input: unknown, { attempt }) {
  yield { type: 'data', data: attempt };
  // The datum is on its way to the store when the process dies.
  await wait(20);
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
});

/** Works until it is told to stop. */
export const patient = defineActor(async function* (_input: unknown, { signal }) {
  yield { type: 'data', data: 'working' };
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
});

/** All by type. */
export const actors = { count, restless, poison, patient };
