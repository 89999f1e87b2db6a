import type { StreamStore } from '@perennial/core';

import { readAll } from '../conformance/helpers.ts';
import { TARGETS } from './hostile-request.ts';

/** What bystanders hold; no answer to a hostile request may contain it. */
export const SECRET = 'bystander-5c1f0e';

/** Streams that no request of the table names. Their ids are what sloppy resolving, folding or decoding would arrive at. */
const BYSTANDERS: readonly string[] = ['etc/passwd', 'tenant/s', '_proto_', 's0', '\u017f'];

/** Creates the streams that hostile requests are aimed at, and those that they have to leave alone. */
export async function plantStreams(store: StreamStore): Promise<void> {
  await store.create(TARGETS.json);
  await store.append(TARGETS.json, {
    segments: [
      { records: [{ data: '1' }, { data: '2' }], streamSeq: 'm' },
      { records: [{ data: '3' }], producer: { id: 'p', epoch: 3, seq: 0 } },
    ],
  });
  const text = { data: new TextEncoder().encode('text') };
  await store.create(TARGETS.text, { contentType: 'text/plain', records: [text] });
  await store.create(TARGETS.closed, { records: [{ data: '1' }], end: { outcome: 'completed' } });
  for (const id of BYSTANDERS) await store.create(id, { records: [{ data: JSON.stringify(SECRET) }], leaseMs: 60_000 });
}

/**
 * Everything the store has: every stream with head, records and the state of the producers that the table uses. Two equal fingerprints
 * mean that nothing was touched.
 */
export async function fingerprint(store: StreamStore): Promise<string> {
  const all: unknown[] = [];
  for (let after: string | undefined; ;) {
    const { streams, next } = await store.list({ limit: 1_000, ...(after !== undefined && { after }) });
    for (const head of streams) {
      const producers = await Promise.all(['p', 'stranger', '__proto__'].map((id) => store.producer(head.id, id)));
      const records = (await readAll(store, head.id)).map((record) =>
        record.kind === 'data' && typeof record.data !== 'string' ? [...record.data] : record,
      );
      all.push([head, records, producers]);
    }
    if (next === undefined) return JSON.stringify(all);
    after = next;
  }
}
