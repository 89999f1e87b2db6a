import type { RedisClient } from '../../src/clients/resolve-port.ts';
import { portFromClient } from '../../src/clients/resolve-port.ts';
import type { RedisPort } from '../../src/index.ts';
import { appendScript } from '../../src/scripts/generated/append.ts';

/** The ways in which the append script answered: only the usual way of `lua/include/usual-append.lua` gives a position or a head alone. */
export interface AppendAnswers {
  position: number;
  head: number;
  general: number;
}

/** A port like the client's that counts how appends were answered. */
export function countingPort(client: RedisClient): { readonly port: RedisPort; readonly answers: AppendAnswers } {
  const answers: AppendAnswers = { position: 0, head: 0, general: 0 };
  const inner = portFromClient(client).duplicate();
  const port: RedisPort = {
    ...inner,
    async send(key, command) {
      const reply = await inner.send(key, command);
      if (command[1] !== appendScript.sha && command[1] !== appendScript.source) return reply;
      if (!Array.isArray(reply)) answers.position++;
      else if (reply.length === 2 && reply[0] === 0) answers.head++;
      else answers.general++;
      return reply;
    },
    duplicate: () => port,
  };
  return { port, answers };
}
