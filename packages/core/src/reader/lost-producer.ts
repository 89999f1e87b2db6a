/** What an observer does about a producer that is lost (PROTOCOL.md, "Leases"). */
import type { StreamEnd } from '../log/end.ts';
import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';

/** The end of a stream whose producer stopped renewing its lease. */
export const PRODUCER_LOST: StreamEnd = {
  outcome: 'failed',
  error: { code: 'PRODUCER_LOST', message: 'The producer of this stream stopped without finishing it.', public: true },
};

/** The head whose lease tells whether a stream's producer lives: its owner's, or its own. */
export async function leaseHolderOf(store: StreamStore, head: StreamHead): Promise<StreamHead> {
  return (head.owner !== null && (await store.head(head.owner))) || head;
}

/**
 * True when observers may end what hangs on this head once its lease has lapsed: nobody will take it over. The journal of a run that another
 * worker may go on with owns itself.
 */
export function isMortal(holder: StreamHead): boolean {
  return holder.owner === null;
}

/**
 * Ends a standalone stream whose lease lapsed: fences its producer, then ends it as failed `PRODUCER_LOST`. Whoever observes the lapse
 * may do so; several at once are harmless.
 *
 * @param observed The head whose lease lapsed. Nothing happens when the stream has been renewed, ended or taken over since.
 * @returns True when the stream has ended, by this call or another.
 */
export async function endLapsed(store: StreamStore, observed: StreamHead): Promise<boolean> {
  const head = await store.head(observed.id);
  if (!head || head.incarnation !== observed.incarnation) return false;
  if (head.end) return true;
  const renewed = head.lease?.beat !== observed.lease?.beat || head.token !== observed.token;
  if (!head.lease || head.owner !== null || renewed) return false;
  return endFenced(store, head, PRODUCER_LOST);
}

/**
 * Ends a stream whose producer is lost for good: a standalone one as {@link endLapsed} does, and one of a run that nobody can take over like
 * its journal, which is ended first. Nothing happens to what somebody may still take over.
 *
 * @param observed The stream's head.
 * @param holder What {@link leaseHolderOf} found: its lease has lapsed, or it has ended without the stream.
 * @returns True when the stream has ended, by this call or another.
 */
export async function endLost(store: StreamStore, observed: StreamHead, holder: StreamHead): Promise<boolean> {
  if (!isMortal(holder)) return false;
  if (holder.id === observed.id) return endLapsed(store, observed);
  if (!holder.end && !(await endLapsed(store, holder))) return false;
  const [head, journal] = await Promise.all([store.head(observed.id), store.head(holder.id)]);
  if (!head || head.incarnation !== observed.incarnation || !journal?.end) return false;
  return head.end !== null || endFenced(store, head, journal.end);
}

async function endFenced(store: StreamStore, { id, token: last }: StreamHead, end: StreamEnd): Promise<boolean> {
  const token = last + 1;
  await store.mark(id, { type: 'fence', token, nonce: crypto.randomUUID() });
  const { head } = await store.append(id, {
    token,
    segments: [{ records: [], producer: { id: 'lease', epoch: token, seq: 0 }, end }],
  });
  return head.end !== null;
}
