import type { StreamStore } from '@perennial/core';

/** A served handler, as a case sees it. */
export interface HostileContext {
  /** Base URL of the streams. */
  readonly url: string;
  /** The store behind the handler. */
  readonly store: StreamStore;
  /** Texts that may not be in any answer. */
  readonly secrets: readonly string[];
}

/** One behaviour under hostile input. */
export interface HostileCase {
  readonly group: string;
  /** Unique within the group. */
  readonly name: string;
  readonly check: (context: HostileContext) => Promise<void>;
}
