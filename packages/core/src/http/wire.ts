/** Header names of the Durable Streams protocol and, prefixed `Perennial-`, of its extensions (PROTOCOL.md, "Headers"). */
export const HEADER = {
  nextOffset: 'Stream-Next-Offset',
  upToDate: 'Stream-Up-To-Date',
  closed: 'Stream-Closed',
  cursor: 'Stream-Cursor',
  seq: 'Stream-Seq',
  ttl: 'Stream-TTL',
  expiresAt: 'Stream-Expires-At',
  sseEncoding: 'Stream-SSE-Data-Encoding',
  producerId: 'Producer-Id',
  producerEpoch: 'Producer-Epoch',
  producerSeq: 'Producer-Seq',
  producerExpectedSeq: 'Producer-Expected-Seq',
  producerReceivedSeq: 'Producer-Received-Seq',
  forkedFrom: 'Stream-Forked-From',
  forkOffset: 'Stream-Fork-Offset',
  forkSubOffset: 'Stream-Fork-Sub-Offset',
  lastEventId: 'Last-Event-ID',
  /** Position after the last record of the response. */
  position: 'Perennial-Position',
  /** JSON of the public end, in ASCII. */
  end: 'Perennial-End',
  /** Position the first record of an append must get. */
  expectedPosition: 'Perennial-Expected-Position',
  /** Differs between a stream and a later one at the same URL. */
  incarnation: 'Perennial-Incarnation',
  /** `true` while the producer's lease has lapsed and its journal has not ended the stream. */
  stalled: 'Perennial-Stalled',
  /** `true` once a cancel request stands. */
  cancelRequested: 'Perennial-Cancel-Requested',
  /** Earliest position that is still retained. */
  earliestPosition: 'Perennial-Earliest-Position',
  /** Code of the error, also where there is no body. */
  error: 'Perennial-Error',
} as const;

/** Query parameters (PROTOCOL.md, "Query parameters"). */
export const PARAM = {
  offset: 'offset',
  live: 'live',
  cursor: 'cursor',
  /** `records` or `store`; absent is the plain protocol. */
  view: 'perennial-view',
  /** Start this many records before the tail. */
  last: 'perennial-last',
  /** `POST`: ask the producer to stop. */
  cancel: 'perennial-cancel',
  /** On the base URL: a stream id that a path cannot carry. */
  stream: 'perennial-stream',
  /** Requests of the store port. */
  create: 'perennial-create',
  append: 'perennial-append',
  mark: 'perennial-mark',
  list: 'perennial-list',
  head: 'perennial-head',
  producer: 'perennial-producer',
  wait: 'perennial-wait',
  from: 'perennial-from',
  limit: 'perennial-limit',
  maxBytes: 'perennial-max-bytes',
  timeoutMs: 'perennial-timeout',
  prefix: 'perennial-prefix',
  after: 'perennial-after',
} as const;

/** Offset of the first byte, for requests only. */
export const OFFSET_START = '-1';
/** Offset of the tail at the time of the request, for requests only. */
export const OFFSET_NOW = 'now';

/** Names of the two SSE events. */
export const EVENT = { data: 'data', control: 'control' } as const;

/** How a read is presented: the plain protocol, or records with position, time, step and attempt (PROTOCOL.md, "Records view"). */
export type WireView = 'plain' | 'records';

/** A record in the records view. Exactly one of `d`, `b` and `x` is there. */
export interface WireRecord {
  /** Position. */
  readonly p: number;
  /** Milliseconds since the Unix epoch. */
  readonly t: number;
  /** Value of a JSON stream; on the wire it is the stored text, so that `1.0` and big integers survive. */
  readonly d?: unknown;
  /** Base64 of the bytes, on a stream of any other content type. */
  readonly b?: string;
  /** Step that wrote it. */
  readonly s?: string;
  /** Attempt of the step. */
  readonly a?: number;
  /** Retracts the data of `step` with an attempt below `belowAttempt`. */
  readonly x?: { readonly step: string; readonly belowAttempt: number };
}

/** An end as readers may see it. */
export interface WireEnd {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly error?: { readonly code: string; readonly message: string };
  readonly reason?: string;
}

/** Payload of an SSE `control` event. Absent fields mean false or none. */
export interface WireControl {
  readonly streamNextOffset: string;
  /** Absent once `streamClosed`. */
  readonly streamCursor?: string;
  readonly upToDate?: boolean;
  readonly streamClosed?: boolean;
  /** Extensions. In the plain view only when there is something to say. */
  readonly perennial?: WireState;
}

/** State of a stream as it travels in control events. */
export interface WireState {
  /** Position after the last record sent. Always there in the records view. */
  readonly position?: number;
  /** Only once everything before it was sent. */
  readonly end?: WireEnd;
  readonly stalled?: boolean;
  readonly cancelRequested?: boolean;
  /** Plain view only: supersede records among what was sent since the last control event. */
  readonly supersede?: readonly { readonly position: number; readonly step: string; readonly belowAttempt: number }[];
}

/** Body of every error answer (PROTOCOL.md, "Error answers"). */
export interface WireError {
  readonly error: { readonly code: string; readonly message: string; readonly [field: string]: unknown };
}
