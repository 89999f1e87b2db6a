import type { RunContext } from '../../src/index.ts';
import { forever, type Gate } from './gate.ts';

/** Writes three values from the body and from steps; `gate` is where its first worker is stopped. */
export function answer(calls: string[], gate?: Gate) {
  return async ({ step, input }: RunContext<unknown, string>): Promise<string> => {
    const out = step.getWritable<string>({ namespace: 'out' });
    await out.write(`body ${input}`);
    const first = await step('first', async () => {
      calls.push('first');
      await out.write('first');
      return calls.length;
    });
    if (gate) {
      await gate.pass();
      await forever();
    }
    await step('second', async () => {
      calls.push('second');
      await out.write('second');
    });
    await out.write(`last ${first}`);
    return `done ${input}`;
  };
}
