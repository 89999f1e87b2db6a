import {
  type DataRecord,
  liveView,
  runJournalId,
  runStreamId,
  type StreamEnd,
  type StreamHead,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';

import type { ExpectedEnd, ExpectedStream, Program } from './programs.ts';

/** What a run left behind. */
export interface RunRemains {
  readonly notes: readonly Note[];
  readonly logs: ReadonlyMap<string, readonly StreamRecord[]>;
}

interface Note {
  readonly t: string;
  readonly ns?: string;
  readonly key?: string;
  readonly n?: number;
  readonly end?: StreamEnd;
}

/** Ends the key of a step in the key under which a part of its items writes. */
const PART = '\u001F';

/** Reads a stream whole. */
export async function readLog(
  store: StreamStore,
  id: string,
): Promise<{ readonly records: StreamRecord[]; readonly head: StreamHead }> {
  const records: StreamRecord[] = [];
  for (;;) {
    const page = await store.read(id, { from: records.length });
    records.push(...page.records);
    if (records.length >= page.head.nextPosition) return { records, head: page.head };
  }
}

/** Collects what is wrong with a run; empty when nothing is. */
class Findings {
  readonly list: string[] = [];

  equal(what: string, actual: unknown, expected: unknown): void {
    const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (is !== wanted) this.list.push(`${what}: ${is} instead of ${wanted}`);
  }
}

/** What inspection is told beside the program. */
export interface InspectOptions {
  /** How the run may have ended instead: then streams hold a beginning of what each writer writes. */
  readonly cancelled?: boolean;
}

/** Compares what a run left behind with its uninterrupted course. Returns what is wrong. */
export async function inspectRun(
  store: StreamStore,
  { program, runId }: { readonly program: Program; readonly runId: string },
  { cancelled = false }: InspectOptions = {},
): Promise<{ readonly wrong: readonly string[]; readonly remains: RunRemains }> {
  const findings = new Findings();
  const journal = await readLog(store, runJournalId(runId));
  const notes = journal.records.flatMap((record) =>
    record.kind === 'data' ? [JSON.parse(String(record.data)) as Note] : [],
  );
  const expected: ExpectedEnd = cancelled ? { outcome: 'cancelled' } : program.end;
  inspectJournal(findings, { notes, head: journal.head, expected });
  inspectPositions(findings, 'journal', journal);

  const opened = new Set(notes.flatMap(({ t, ns }) => (t === 'open' && ns !== undefined ? [ns] : [])));
  const names = Object.keys(program.streams);
  if (!cancelled) findings.equal('opened streams', [...opened].toSorted(), names.toSorted());
  const logs = new Map<string, readonly StreamRecord[]>();
  for (const namespace of opened) {
    const stream = program.streams[namespace];
    if (!stream) continue;
    const log = await readLog(store, runStreamId(runId, namespace));
    logs.set(namespace, log.records);
    inspectPositions(findings, namespace, log);
    inspectProducers(findings, namespace, log.records);
    inspectAttempts(findings, namespace, { records: log.records, notes });
    inspectStream(findings, namespace, { ...log, stream, expected, cancelled });
  }
  const { streams } = await store.list({ prefix: `$open-runs/${encodeURIComponent(program.name)}/` });
  const entry = encodeURIComponent(runId);
  findings.equal(
    'index',
    streams.map(({ id }) => id).filter((id) => id.endsWith(`/${entry}`)),
    [],
  );
  return { wrong: findings.list, remains: { notes, logs } };
}

interface Journal {
  readonly notes: readonly Note[];
  readonly head: StreamHead;
  readonly expected: ExpectedEnd;
}

function inspectJournal(findings: Findings, { notes, head, expected }: Journal): void {
  const settled = notes.filter(({ t }) => t === 'settled');
  findings.equal('outcomes in the journal', settled.length, 1);
  findings.equal('last note', notes.at(-1)?.t, 'settled');
  findings.equal('end of the journal', partsOf(head.end), expected);
  findings.equal('outcome in the journal', partsOf(settled[0]?.end ?? null), expected);
  for (const what of ['start', 'open', 'result']) {
    const keys = notes.filter(({ t }) => t === what).map(({ key, ns }) => key ?? ns);
    findings.equal(`notes of ${what}, each once`, keys.length, new Set(keys).size);
  }
}

function inspectPositions(
  findings: Findings,
  name: string,
  { records, head }: { readonly records: readonly StreamRecord[]; readonly head: StreamHead },
): void {
  const sparse = records.find(({ position }, i) => position !== i);
  findings.equal(`${name}: first position out of place`, sparse?.position ?? null, null);
  findings.equal(`${name}: records`, records.length, head.nextPosition);
}

/** Each producer's records carry dense sequences; epochs never go back. */
function inspectProducers(findings: Findings, name: string, records: readonly StreamRecord[]): void {
  const last = new Map<string, { readonly epoch: number; readonly seq: number }>();
  for (const { producer, position } of records) {
    if (!producer) {
      findings.list.push(`${name}: record ${position} has no producer`);
      continue;
    }
    const { id, epoch, seq } = producer;
    const before = last.get(id);
    const isNext =
      before && before.epoch === epoch ? seq === before.seq + 1 : seq === 0 && epoch > (before?.epoch ?? -1);
    if (!isNext) findings.list.push(`${name}: ${id} goes from ${JSON.stringify(before)} to ${epoch}/${seq}`);
    last.set(id, { epoch, seq });
  }
}

/** Of a step that may not go on from earlier attempts, only the last one shows. */
function inspectAttempts(
  findings: Findings,
  name: string,
  { records, notes }: { readonly records: readonly StreamRecord[]; readonly notes: readonly Note[] },
): void {
  if (notes.some(({ t, ns, ...note }) => t === 'open' && ns === name && 'onRetry' in note)) return;
  const lastOf = new Map<string, number>();
  for (const { t, key, n } of notes)
    if (t === 'attempt' && key !== undefined && n !== undefined) lastOf.set(key, Math.max(n, lastOf.get(key) ?? 0));
  for (const { step, attempt, position } of liveView(records))
    if (step !== undefined && attempt !== lastOf.get(step))
      findings.list.push(`${name}: record ${position} shows attempt ${attempt} of ${step}, not ${lastOf.get(step)}`);
}

interface StreamRemains {
  readonly records: readonly StreamRecord[];
  readonly head: StreamHead;
  readonly stream: ExpectedStream;
  readonly expected: ExpectedEnd;
  readonly cancelled: boolean;
}

function inspectStream(
  findings: Findings,
  name: string,
  { records, head, stream, expected, cancelled }: StreamRemains,
): void {
  const live = liveView(records).map((record): readonly [string, unknown] => [writerOf(record), valueOf(record)]);
  const { order = 'whole' } = stream;
  if (cancelled) {
    for (const [writer, values] of groups(live)) {
      const all = groups(stream.live).get(writer) ?? [];
      if (order === 'none')
        findings.equal(
          `${name}: strangers`,
          values.filter((value) => !all.includes(value)),
          [],
        );
      else findings.equal(`${name}: beginning of ${writer}`, values, all.slice(0, values.length));
    }
    const ends = [expected, stream.end].map((end) => JSON.stringify(end));
    if (!ends.includes(JSON.stringify(partsOf(head.end)))) findings.equal(`${name}: end`, partsOf(head.end), expected);
    return;
  }
  findings.equal(`${name}: live view`, arranged(live, order), arranged(stream.live, order));
  findings.equal(`${name}: end`, partsOf(head.end), stream.end);
}

function arranged(
  live: readonly (readonly [string, unknown])[],
  order: 'whole' | 'writers' | 'none',
): readonly unknown[] {
  switch (order) {
    case 'whole':
      return live;
    case 'writers':
      return live.toSorted(([a], [b]) => a.localeCompare(b));
    case 'none':
      return live.map((entry) => JSON.stringify(entry)).toSorted();
  }
}

function groups(live: readonly (readonly [string, unknown])[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const [writer, value] of live) groups.set(writer, [...(groups.get(writer) ?? []), value]);
  return groups;
}

const writerOf = ({ step }: DataRecord): string => step?.split(PART)[0] ?? 'body';
const valueOf = ({ data }: DataRecord): unknown => JSON.parse(String(data));

/** The parts of an end that a program knows. */
function partsOf(end: StreamEnd | null): ExpectedEnd | null {
  if (!end) return null;
  return { outcome: end.outcome, ...(end.outcome === 'failed' && end.error && { code: end.error.code }) };
}
