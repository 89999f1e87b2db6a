import type { StreamStore } from '../log/store.ts';
import type { Guard } from './authorize.ts';
import type { Cursors } from './cursors.ts';
import type { RoutedRequest } from './http-request.ts';
import type { LiveFeeds } from './live-feeds.ts';
import type { ResolvedLimits } from './options.ts';
import type { Query } from './query.ts';
import type { ReaderSlots } from './reader-slots.ts';
import type { StreamQuota } from './stream-quota.ts';

/** What the routes of one handler share. */
export interface HandlerContext {
  readonly store: StreamStore;
  /** Path below which streams are, without a trailing slash. */
  readonly basePath: string;
  readonly limits: ResolvedLimits;
  readonly guard: Guard;
  readonly cursors: Cursors;
  readonly feeds: LiveFeeds;
  readonly slots: ReaderSlots;
  readonly quota: StreamQuota;
  readonly cacheControl: string;
  /** Aborted when the server is closing. */
  readonly closing: AbortSignal | undefined;
  readonly random: () => number;
  /** Passes on an error that no client will hear of. */
  readonly report: (error: unknown, request: RoutedRequest) => void;
}

/** A request for one stream. */
export interface StreamRequest {
  readonly request: RoutedRequest;
  readonly query: Query;
  readonly id: string;
}
