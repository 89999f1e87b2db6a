import type { StreamEnd } from './end.ts';
import type { ProducerState, StreamHead } from './head.ts';
import type { NewRecord, StreamRecord } from './record.ts';

/** What a store can do beyond the required behaviour. */
export interface StoreCapabilities {
  /** Acknowledged writes survive the death of every process. */
  readonly durable: boolean;
  /** Several processes may write to the same store. */
  readonly shared: boolean;
}

/** A fork to create (PROTOCOL.md, "Forks"). */
export interface ForkOptions {
  /** Id of the source, in the same store. */
  readonly from: string;
  /** The fork has the source's records below this position, and goes on from there. @default the source's tail */
  readonly position?: number;
  /**
   * Also takes this many bytes of the source's record at `position`, as the fork's own first record. For streams of bytes only, and not
   * without `position`.
   * @default 0
   */
  readonly bytes?: number;
}

/** Options of {@link StreamStore.create}. */
export interface CreateOptions {
  /** @default 'application/json'; for a fork the source's */
  readonly contentType?: string;
  /** Sliding time to live in ms. Not together with `expiresAt`. @default none; for a fork without `expiresAt` the source's */
  readonly ttlMs?: number;
  /** Absolute expiry in ms since the Unix epoch. @default none; for a fork without `ttlMs` the source's */
  readonly expiresAt?: number;
  /** Begins with the records of another stream, which are not copied. @default none */
  readonly fork?: ForkOptions;
  /** The producer promises to renew within this time. @default none */
  readonly leaseMs?: number;
  /** Stream id of the journal that owns this stream. @default none */
  readonly owner?: string;
  /** Initial fencing token. An existing stream is raised to it, or refuses with `FENCED` when it already has a higher one. @default 0 */
  readonly token?: number;
  /** First records, stored atomically with the creation. An existing stream ignores them. */
  readonly records?: readonly NewRecord[];
  /** Creates the stream already ended. */
  readonly end?: StreamEnd;
}

/** Answer of {@link StreamStore.create}. */
export interface CreateResult {
  /** False when a stream with the same configuration existed already. */
  readonly created: boolean;
  readonly head: StreamHead;
}

/** An idempotent writer: a segment that repeats `(id, epoch, seq)` is recognised and stored once. */
export interface SegmentProducer {
  readonly id: string;
  readonly epoch: number;
  /** Sequence of the segment's first record (or of the whole segment, see {@link AppendSegment.sequencing}). */
  readonly seq: number;
}

/** Consecutive records of one producer within an append (PROTOCOL.md, "Append"). */
export interface AppendSegment {
  readonly records: readonly NewRecord[];
  readonly producer?: SegmentProducer;
  /**
   * `record`: each record, and an end, takes one sequence, and a stored prefix is skipped. `segment`: the whole segment takes one
   * sequence, as a POST of the HTTP protocol does.
   * @default 'record'
   */
  readonly sequencing?: 'record' | 'segment';
  /** Ends the stream after the records, atomically with them. */
  readonly end?: StreamEnd;
  /** Refuse unless the stream's content type is this one. */
  readonly contentType?: string;
  /** Refuse unless this is the next position, the one that the first record not stored before would get. */
  readonly expectedPosition?: number;
  /** Lexicographic application sequence; must be greater than the last one (`Stream-Seq` of the HTTP protocol). */
  readonly streamSeq?: string;
}

/** An append: one atomic, durable write of one or more segments. */
export interface AppendRequest {
  readonly segments: readonly AppendSegment[];
  /** The writer's fencing token. Absent: the writer takes no part in fencing, and is refused once the stream has a token above 0. */
  readonly token?: number;
}

/** What became of one segment. Refusals change nothing. Positions are revealed only once durable. */
export type SegmentResult =
  /** Stored now, at `position` and up; `skipped` leading records had been stored before. */
  | { readonly status: 'ok'; readonly position: number; readonly count: number; readonly skipped: number }
  /** All of it had been stored before; `nextSeq` is the producer's next sequence. */
  | { readonly status: 'duplicate'; readonly nextSeq: number }
  | { readonly status: 'stale-epoch'; readonly epoch: number }
  | { readonly status: 'closed'; readonly end: StreamEnd }
  | { readonly status: 'content-type'; readonly contentType: string }
  | { readonly status: 'gap'; readonly expectedSeq: number }
  | { readonly status: 'regression'; readonly streamSeq: string }
  | { readonly status: 'conflict'; readonly nextPosition: number };

/** Answer of {@link StreamStore.append}; `segments` corresponds to the request's, one to one. */
export interface AppendResult {
  readonly segments: readonly SegmentResult[];
  /** Head after the append. Lets a writer notice a cancel request without asking. */
  readonly head: StreamHead;
}

/** Options of {@link StreamStore.read}. */
export interface ReadOptions {
  /** First position wanted. A position beyond the tail gives no records. */
  readonly from: number;
  /** @default 1000 */
  readonly limit?: number;
  /** Stop after the record that reaches this many payload bytes; at least one record is returned. @default 1 MiB */
  readonly maxBytes?: number;
}

/** A page of records and the head they were read with: `end` counts only once `from + records.length` is `head.nextPosition`. */
export interface ReadResult {
  readonly records: readonly StreamRecord[];
  readonly head: StreamHead;
}

/** Options of {@link StreamStore.wait}. */
export interface WaitOptions {
  /** Resolve once a record at this position exists or the stream has ended. `Infinity`: only by the end. */
  readonly position: number;
  /** Also resolve once there is a cancel request. @default false */
  readonly cancel?: boolean;
  /** Rejects with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Resolve with the unchanged head after this time. @default none */
  readonly timeoutMs?: number;
}

/** A change of the head that is not a record. */
export type Mark =
  /** Ask the producer to stop. The first request stands; an ended stream ignores it. Needs no token. */
  | { readonly type: 'cancel'; readonly reason?: string }
  /** Renew the lease (`durationMs` sets or changes it, null releases it). */
  | { readonly type: 'lease'; readonly token?: number; readonly durationMs?: number | null }
  /** Raise the fencing token. Succeeds when `token` is higher, or equal and raised by the same `nonce` before; else `FENCED`. */
  | { readonly type: 'fence'; readonly token: number; readonly nonce: string };

/** Options of {@link StreamStore.list}. */
export interface ListOptions {
  /** @default '' (every stream) */
  readonly prefix?: string;
  /** Only ids after this one, in code unit order. */
  readonly after?: string;
  /** @default 1000 */
  readonly limit?: number;
}

/** Answer of {@link StreamStore.list}: heads in code unit order of their ids. */
export interface ListResult {
  readonly streams: readonly StreamHead[];
  /** Pass as `after` for the next page; absent on the last page. */
  readonly next?: string;
}

/**
 * The port every store implements (PROTOCOL.md, "The store port"). Each mutation is atomic and, when its promise resolves, durable per
 * the store's stated policy. Failures reject with a `StreamError`: `NOT_FOUND`, `FENCED`, `GAP`, `EXISTS`, `ABORTED`,
 * `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`, `STORE_LOCKED`, `STORE_FULL`, `STORE_CLOSED`, `STORE_ERROR` or `CORRUPT`.
 *
 * A store decides nothing by itself: the pure functions of `append-rules` and `head-rules` do, inside its critical section.
 */
export interface StreamStore {
  readonly capabilities: StoreCapabilities;

  /** Creates a stream or a fork of one, or finds the one that exists with the same content type, ttl and expiry. */
  create(id: string, options?: CreateOptions): Promise<CreateResult>;
  /** Appends. Never creates: an absent stream is `NOT_FOUND`. */
  append(id: string, request: AppendRequest): Promise<AppendResult>;
  /** Reads a page. Returns at once, also at the tail. */
  read(id: string, options: ReadOptions): Promise<ReadResult>;
  /** Waits for something to read, by notification. */
  wait(id: string, options: WaitOptions): Promise<StreamHead>;
  /** Reads the head; null when the stream does not exist. */
  head(id: string): Promise<StreamHead | null>;
  /** The stored state of one producer of a stream; null when it never wrote. */
  producer(id: string, producerId: string): Promise<ProducerState | null>;
  /**
   * Deletes a stream and its records; false when there was none. Waiting readers get `NOT_FOUND`. Records that forks read stay for them,
   * and the id stays taken until the last of these forks is gone.
   */
  delete(id: string): Promise<boolean>;
  /** Lists streams by id prefix. */
  list(options?: ListOptions): Promise<ListResult>;
  /** Changes a mark in the head and returns the head after it. */
  mark(id: string, mark: Mark): Promise<StreamHead>;
  /** Releases what the store holds. Later calls reject with `STORE_CLOSED`. Idempotent. */
  close(): Promise<void>;
}
