import { runStreamId, type StreamRecord, type StreamStore } from '@perennial/core';

/** The raw records of a run's stream. */
export async function rawRecords(store: StreamStore, runId: string, namespace: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for (;;) {
    const page = await store.read(runStreamId(runId, namespace), { from: records.length });
    records.push(...page.records);
    if (records.length >= page.head.nextPosition) return records;
  }
}

/** The raw records, each as a short text: `value`, `value (step/attempt)` or `below step/attempt`. */
export async function rawTexts(store: StreamStore, runId: string, namespace: string): Promise<string[]> {
  return (await rawRecords(store, runId, namespace)).map((record) => {
    if (record.kind === 'supersede') return `below ${record.step}/${record.belowAttempt}`;
    const value = String(JSON.parse(String(record.data)));
    return record.step === undefined ? value : `${value} (${record.step}/${record.attempt})`;
  });
}
