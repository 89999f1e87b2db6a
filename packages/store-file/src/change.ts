import {
  type AppendEffect,
  type CancelRequest,
  type ProducerState,
  recordSize,
  type StreamEnd,
  type StreamRecord,
} from '@perennial/core';

/** What one accepted call changes in the log. Null: unchanged. Every field is always there, which keeps the hot path monomorphic. */
export interface Change {
  readonly records: readonly StreamRecord[];
  /** Payload bytes of the records. */
  readonly bytes: number;
  readonly producers: readonly (readonly [id: string, state: ProducerState])[];
  readonly end: StreamEnd | null;
  /** The cancel request in force; only with an end. */
  readonly cancel: CancelRequest | null;
  readonly streamSeq: string | null;
  readonly token: number | null;
  /** Who raised the token; counts only with one. */
  readonly nonce: string | null;
  /** New duration of the lease; null in it = released. */
  readonly lease: { readonly durationMs: number | null } | null;
}

/** Changes nothing; spread it to make a change of one thing. */
export const NO_CHANGE: Change = {
  records: [],
  bytes: 0,
  producers: [],
  end: null,
  cancel: null,
  streamSeq: null,
  token: null,
  nonce: null,
  lease: null,
};

/** What an append changes. `token` and `cancel` are those in force before it. */
export function changeOf(
  { records, producers, end, streamSeq, token }: AppendEffect,
  before: { readonly token: number; readonly cancel: CancelRequest | null },
): Change {
  let bytes = 0;
  for (const record of records) bytes += recordSize(record);
  return {
    records,
    bytes,
    producers,
    end,
    cancel: end && before.cancel,
    streamSeq,
    token: token > before.token ? token : null,
    nonce: null,
    lease: null,
  };
}

/** True when the change is more than records and producers. */
export function changesHead({ end, streamSeq, token, lease }: Change): boolean {
  return end !== null || streamSeq !== null || token !== null || lease !== null;
}
