import type { StreamHandlerLimits } from '@perennial/core/http';

/** The limits that the handler under test has to have: the oversized requests of the table are a little beyond them. */
export const HOSTILE_LIMITS: Required<
  Pick<StreamHandlerLimits, 'maxBodyBytes' | 'maxRecordBytes' | 'maxBatchRecords' | 'maxJsonDepth' | 'longPollMs'>
> = {
  maxBodyBytes: 262_144,
  maxRecordBytes: 65_536,
  maxBatchRecords: 1_000,
  maxJsonDepth: 64,
  longPollMs: 50,
};
