import type { Writable } from 'node:stream';

import type { Io } from './io.ts';

/** What was answered; `cancelled` by Ctrl-C or Escape. */
export type Answer = 'yes' | 'no' | 'cancelled';

/** Asks a yes-or-no question on standard error. Enter alone means no. */
export async function confirm({ stdin, stderr }: Io, question: string): Promise<Answer> {
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({
    message: question,
    initialValue: false,
    input: stdin,
    // Node's writable streams have all that the prompt uses; `Io` names only what the rest of the command needs.
    output: stderr as unknown as Writable,
  });
  if (prompts.isCancel(answer)) return 'cancelled';
  return answer ? 'yes' : 'no';
}
