import type { StreamHead } from '@perennial/core';

import type { RedisReply } from '../clients/port.ts';

/** What a script returned. */
export interface ScriptAnswer {
  readonly status: number;
  readonly reply: readonly RedisReply[];
  /** The head that the script knew the store to know. */
  readonly known: StreamHead | undefined;
}
