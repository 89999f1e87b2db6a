import type { StreamStore } from '../log/store.ts';
import { notFound } from './problem.ts';

/** Why there is no stream of this id where `head` and `delete` only say that there is none: 404, or 410 where forks keep it. */
export async function absence(store: StreamStore, id: string): Promise<unknown> {
  try {
    await store.read(id, { from: 0, limit: 1 });
  } catch (error) {
    return error;
  }
  // Created since: absent is what it was.
  return notFound();
}
