import { performance } from 'node:perf_hooks';

/** Rejects promises that take too long, with one timer for all of them. */
export interface Deadlines {
  /**
   * Settles like `promise`, or rejects with `late()` after the time is up. What `accept` returns or throws takes the place of a value in
   * time, what `recover` returns or throws that of a rejection; of later ones they are not told.
   */
  within<T, R = T>(promise: Promise<T>, exits: Exits<T, R>): Promise<R>;
  /** Forgets all; what is pending settles with its promise only. */
  close(): void;
}

/** What becomes of a promise. */
export interface Exits<T, R = T> {
  readonly late: () => Error;
  readonly recover: (error: unknown) => R | Promise<R>;
  /** Here rather than in a `then` of the caller's, which would be a promise and a turn more. @default the value as it is */
  readonly accept?: (value: T) => R;
}

/** A link of the ring of pending deadlines; one that points to itself is not in it. */
interface Link {
  previous: Link;
  next: Link;
  readonly at: number;
  readonly expire: () => void;
}

/**
 * Creates deadlines of `timeoutMs`, all the same, so that the oldest is always the next to expire.
 *
 * They form a ring, not a Set, and the clock is imported instead of looked up in the global scope: a single awaited append spent about 1 %
 * of its CPU time on each.
 */
export function createDeadlines(timeoutMs: number): Deadlines {
  const ring = createLink(Infinity, () => {});
  let timer: ReturnType<typeof setTimeout> | undefined;

  const check = (): void => {
    timer = undefined;
    const now = performance.now();
    for (let oldest = ring.next; oldest.at <= now; oldest = ring.next) {
      remove(oldest);
      oldest.expire();
    }
    arm(now);
  };
  const arm = (now: number): void => {
    if (ring.next === ring || timer !== undefined) return;
    timer = setTimeout(check, Math.max(1, ring.next.at - now));
    timer.unref();
  };

  return {
    within<T, R>(promise: Promise<T>, { late, recover, accept }: Exits<T, R>) {
      return new Promise<R>((resolve, reject) => {
        const now = performance.now();
        let expired = false;
        const link = createLink(now + timeoutMs, () => {
          expired = true;
          reject(late());
        });
        insertBefore(ring, link);
        if (timer === undefined) arm(now);
        promise.then(
          (value) => {
            remove(link);
            if (expired) return;
            let result: R;
            try {
              // Without `accept` the two types are the same.
              result = accept ? accept(value) : (value as unknown as R);
            } catch (failure) {
              reject(toError(failure));
              return;
            }
            resolve(result);
          },
          (error: unknown) => {
            remove(link);
            if (expired) return;
            try {
              resolve(recover(error));
            } catch (failure) {
              reject(toError(failure));
            }
          },
        );
      });
    },
    close() {
      while (ring.next !== ring) remove(ring.next);
      clearTimeout(timer);
    },
  };
}

function toError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}

function createLink(at: number, expire: () => void): Link {
  // A link cannot name itself before it is there.
  const link = { at, expire } as Link;
  link.previous = link;
  link.next = link;
  return link;
}

function insertBefore(later: Link, link: Link): void {
  link.previous = later.previous;
  link.next = later;
  later.previous.next = link;
  later.previous = link;
}

function remove(link: Link): void {
  link.previous.next = link.next;
  link.next.previous = link.previous;
  link.previous = link;
  link.next = link;
}
