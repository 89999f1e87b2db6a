import type { Writable } from 'node:stream';

import type { Io } from './io.ts';

/** Asks a yes-or-no question on standard error; Ctrl-C, Escape and Enter mean no. */
export async function confirm({ stdin, stderr }: Io, question: string): Promise<boolean> {
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({
    message: question,
    initialValue: false,
    input: stdin,
    // Node's writable streams have all that the prompt uses; `Io` names only what the rest of the command needs.
    output: stderr as unknown as Writable,
  });
  return answer === true;
}
