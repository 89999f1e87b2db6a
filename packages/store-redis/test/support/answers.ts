import type { RedisClient } from '../../src/clients/resolve-port.ts';
import { portFromClient } from '../../src/clients/resolve-port.ts';
import type { RedisPort } from '../../src/index.ts';
import { appendScript } from '../../src/scripts/generated/append.ts';
import { usualAppendScript } from '../../src/scripts/generated/usual-append.ts';
import { usualProduceScript } from '../../src/scripts/generated/usual-produce.ts';
import type { RedisScript } from '../../src/scripts/redis-script.ts';

/** How often each append script decided, and how often one of the usual ones left that to the general one. */
export interface AppendAnswers {
  usual: number;
  produced: number;
  refused: number;
  general: number;
}

/** A port like the client's that counts how appends were answered. */
export function countingPort(client: RedisClient): { readonly port: RedisPort; readonly answers: AppendAnswers } {
  const answers: AppendAnswers = { usual: 0, produced: 0, refused: 0, general: 0 };
  const inner = portFromClient(client).duplicate();
  const port: RedisPort = {
    ...inner,
    async send(key, command) {
      const runs = ({ sha, source }: RedisScript): boolean => command[1] === sha || command[1] === source;
      const reply = await inner.send(key, command);
      if (runs(appendScript)) answers.general++;
      else if (runs(usualAppendScript)) answers[reply === null ? 'refused' : 'usual']++;
      else if (runs(usualProduceScript)) answers[reply === null ? 'refused' : 'produced']++;
      return reply;
    },
    duplicate: () => port,
  };
  return { port, answers };
}
