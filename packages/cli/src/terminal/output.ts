import { once } from 'node:events';

import type { Io } from './io.ts';

/** Where the data of a command go: standard output, and nothing else goes there. */
export interface Output {
  readonly isTty: boolean;
  /** Writes, and waits while the reader at the other end of the pipe is behind. */
  write(data: string | Uint8Array): Promise<void>;
  /** Writes one line. */
  line(text: string): Promise<void>;
}

/** Creates the output of a command. */
export function createOutput({ stdout }: Io): Output {
  const write = async (data: string | Uint8Array): Promise<void> => {
    if (data.length > 0 && !stdout.write(data)) await once(stdout, 'drain');
  };
  return { isTty: stdout.isTTY === true, write, line: (text) => write(`${text}\n`) };
}
