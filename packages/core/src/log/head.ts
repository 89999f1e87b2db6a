import type { StreamEnd } from './end.ts';

/** A durable wish that the producer stop; it fires the writer's `AbortSignal` (PROTOCOL.md, "Cancel requests"). */
export interface CancelRequest {
  readonly reason?: string;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly requestedAt: number;
}

/** A renewable sign of life of the producer. It is a hint for readers; safety rests on the fencing token (PROTOCOL.md, "Leases"). */
export interface Lease {
  /** The lease has lapsed when `beat` stays unchanged this long on the observer's monotonic clock. */
  readonly durationMs: number;
  /** Grows with each renewal. */
  readonly beat: number;
}

/** Where a fork comes from (PROTOCOL.md, "Forks"). */
export interface ForkOrigin {
  /** Id of the source. */
  readonly from: string;
  /** Incarnation of the source. */
  readonly incarnation: string;
  /** The source's records below this position are the fork's, too; the fork's own begin here. */
  readonly position: number;
  /** Bytes of the source's record at `position` that the fork began with, as a record of its own; 0 = none. */
  readonly bytes: number;
  /** Length of the line of forks that ends here: 1 where the source is no fork. */
  readonly depth: number;
}

/** What a store keeps of one producer: the next sequence it will accept. */
export interface ProducerState {
  readonly epoch: number;
  readonly nextSeq: number;
}

/** Everything about a stream except its records. */
export interface StreamHead {
  readonly id: string;
  /** Differs between a stream and a later one of the same id. */
  readonly incarnation: string;
  readonly contentType: string;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  /** Position of the earliest retained record. */
  readonly firstPosition: number;
  /** Position the next record will get. */
  readonly nextPosition: number;
  /** Null while the stream is open. */
  readonly end: StreamEnd | null;
  readonly cancel: CancelRequest | null;
  readonly lease: Lease | null;
  /** Id of the journal that owns the stream's liveness and end; null for a standalone stream. */
  readonly owner: string | null;
  /** Fencing token: appends and marks with a lower one are refused. 0 until raised. */
  readonly token: number;
  /** Sliding time to live, restarted by each read and write; null = none. */
  readonly ttlMs: number | null;
  /** Absolute expiry in milliseconds since the Unix epoch; null = none. */
  readonly expiresAt: number | null;
  /** Null for a stream that is no fork. */
  readonly fork: ForkOrigin | null;
}
