import {
  type AppendSegment,
  encodeJson,
  type NewRecord,
  recordSize,
  runJournalId,
  runStreamId,
  type StreamHead,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';

import { WorkflowError } from '../errors.ts';
import { JournalState } from '../journal/journal-state.ts';
import type { CallPoint, Note, OpenNote, ResultNote, StartNote } from '../journal/notes.ts';
import { parsePartKey } from '../journal/part-key.ts';
import { stepProducer } from '../steps/attempt.ts';
import { BODY_PRODUCER } from '../streams/body-replay.ts';
import type { CreatedRun } from './drive-run.ts';
import { notFound } from './drive-run.ts';
import type { Runtime } from './runtime.ts';

/** Options of `fork`. */
export interface ForkOptions {
  /** Key of the step at whose call the new run parts from the old one. */
  readonly fromStep: string;
  /** Id of the new run. @default a random one */
  readonly id?: string;
}

const PAGE = 1_000;
const MAX_BATCH_BYTES = 524_288;
/** The new run's streams are written under the token its journal begins with. */
const FIRST_TOKEN = 1;

/**
 * Creates a run that has what another one had when its body called a step: the results the body had got by then, and of each stream the
 * records that the body and those steps had written. Calling again with the same id goes on where a crash stopped the first call.
 *
 * @throws {@link WorkflowError} `RUN_NOT_FOUND`, `RUN_EXISTS`, or `STEP_NOT_FOUND` when the journal knows no call of the step.
 */
export async function forkRun(
  runtime: Runtime,
  sourceId: string,
  { fromStep, id }: ForkOptions & { readonly id: string },
): Promise<CreatedRun> {
  const { store, name, leaseMs, ttlMs, randomId } = runtime;
  const { state } = await readJournal(store, sourceId);
  if (state.start?.workflow !== name)
    throw new WorkflowError(
      'RUN_EXISTS',
      `Run ${JSON.stringify(sourceId)} is of workflow ${JSON.stringify(state.start?.workflow)}.`,
    );
  const call = state.calls.get(fromStep);
  if (!call) {
    const message = `The journal of run ${JSON.stringify(sourceId)} knows no call of step ${JSON.stringify(fromStep)}.`;
    throw new WorkflowError('STEP_NOT_FOUND', message);
  }
  const origin = { run: sourceId, step: fromStep };
  // Before anything is copied: the records must not go into the streams of another run.
  if (await isForked(store, { id, workflow: name, origin })) return { held: null, nonce: randomId() };
  const results = state.results.slice(0, call.results);
  const copied: OpenNote[] = [];
  for (const note of state.opened.values()) {
    const from = runStreamId(sourceId, note.ns);
    const hasRecords = await copyStream(runtime, {
      from,
      runId: id,
      note,
      keep: keeperOf({ state, results, call, ns: note.ns }),
    });
    if (hasRecords) copied.push(note);
  }
  const nonce = randomId();
  const start: StartNote = { ...state.start, by: nonce, fork: origin };
  const notes: Note[] = [start, ...copied, ...results];
  const journalId = runJournalId(id);
  const { created, head } = await store.create(journalId, {
    owner: journalId,
    leaseMs,
    token: FIRST_TOKEN,
    records: notes.map((note) => ({ data: encodeJson(note) })),
    ...(ttlMs !== undefined && { ttlMs }),
  });
  if (!created && (await isForked(store, { id, workflow: name, origin }))) return { held: null, nonce };
  const forked = new JournalState();
  for (const note of notes) forked.learn(note);
  return { held: { token: FIRST_TOKEN, state: forked, head }, nonce };
}

/**
 * True when the run is there as this fork.
 *
 * @throws {@link WorkflowError} `RUN_EXISTS` when it is there as something else.
 */
async function isForked(
  store: StreamStore,
  { id, workflow, origin }: { readonly id: string; readonly workflow: string; readonly origin: StartNote['fork'] },
): Promise<boolean> {
  if (!(await store.head(runJournalId(id)))) return false;
  const { start } = (await readJournal(store, id)).state;
  const { fork } = start ?? {};
  if (start?.workflow === workflow && fork?.run === origin?.run && fork?.step === origin?.step) return true;
  const message = `Run ${JSON.stringify(id)} exists and is no fork of ${JSON.stringify(origin?.run)} from that step.`;
  throw new WorkflowError('RUN_EXISTS', message);
}

async function readJournal(
  store: StreamStore,
  runId: string,
): Promise<{ readonly state: JournalState; readonly head: StreamHead }> {
  const journalId = runJournalId(runId);
  if (!(await store.head(journalId))) throw notFound(runId);
  const state = new JournalState();
  for (let from = 0; ;) {
    const { records, head } = await store.read(journalId, { from, limit: PAGE });
    for (const record of records) if (record.kind === 'data') state.learn(JSON.parse(String(record.data)) as Note);
    from += records.length;
    if (from >= head.nextPosition) return { state, head };
  }
}

/** The producer under which a kept record is written again; null for one that is left out. */
type Keep = (record: StreamRecord) => { readonly id: string; readonly epoch: number } | null;

function keeperOf({
  state,
  results,
  call,
  ns,
}: {
  readonly state: JournalState;
  readonly results: readonly ResultNote[];
  readonly call: CallPoint;
  readonly ns: string;
}): Keep {
  const attempts = new Map(results.map(({ key, n }) => [key, n]));
  const bodySequences = call.writes[ns] ?? 0;
  return (record) => {
    if (record.kind !== 'data') return null;
    const { step, attempt = 1, producer } = record;
    if (step === undefined) {
      const isKept = producer?.id === BODY_PRODUCER && producer.seq < bodySequences;
      return isKept ? { id: BODY_PRODUCER, epoch: 0 } : null;
    }
    const part = parsePartKey(step);
    const last = part && attempts.has(part.step) ? state.attempts.get(step) : attempts.get(step);
    return last === attempt ? { id: stepProducer(step), epoch: attempt } : null;
  };
}

interface Copy {
  readonly from: string;
  readonly runId: string;
  readonly note: OpenNote;
  readonly keep: Keep;
}

/** Copies the kept records, in order. Returns false when there are none; then the stream is not created. */
async function copyStream({ store, ttlMs }: Runtime, { from: source, runId, note, keep }: Copy): Promise<boolean> {
  const target = runStreamId(runId, note.ns);
  const sequences = new Map<string, number>();
  let segments: AppendSegment[] = [];
  let bytes = 0;
  let isCreated = false;

  const flush = async (): Promise<void> => {
    if (segments.length === 0) return;
    if (!isCreated) {
      const { contentType } = note;
      await store.create(target, {
        owner: runJournalId(runId),
        token: FIRST_TOKEN,
        ...(contentType !== undefined && { contentType }),
        ...(ttlMs !== undefined && { ttlMs }),
      });
      isCreated = true;
    }
    await store.append(target, { token: FIRST_TOKEN, segments });
    segments = [];
    bytes = 0;
  };

  for (let from = 0; ;) {
    const { records, head } = await store.read(source, { from, limit: PAGE });
    for (const record of records) {
      const producer = keep(record);
      if (!producer || record.kind !== 'data') continue;
      const { id, epoch } = producer;
      const seq = sequences.get(id) ?? 0;
      sequences.set(id, seq + 1);
      const { data, step, attempt } = record;
      const copy: NewRecord = step === undefined ? { data } : { data, step, attempt: attempt ?? 1 };
      segments.push({ records: [copy], producer: { id, epoch, seq } });
      bytes += recordSize(copy);
      if (bytes >= MAX_BATCH_BYTES) await flush();
    }
    from = (records.at(-1)?.position ?? from - 1) + 1;
    if (from >= head.nextPosition) break;
  }
  await flush();
  return isCreated;
}
