import {
  createLeaseObserver,
  encodeJson,
  endLost,
  isStreamError,
  isStreamNotFound,
  PRODUCER_LOST,
  type Result,
  retryStoreCall,
  runJournalId,
  runStreamId,
  type StreamHead,
} from '@perennial/core';

import { isWorkflowError, WorkflowError } from '../errors.ts';
import { JournalState } from '../journal/journal-state.ts';
import type { Note, SettledNote, StartNote } from '../journal/notes.ts';
import { type HeldJournal, takeOver } from '../journal/take-over.ts';
import { isActive, markActive } from './active-runs.ts';
import { resultOf } from './outcome.ts';
import { RunExecution } from './run-execution.ts';
import type { Runtime } from './runtime.ts';

/** How a run is driven. */
export interface DriveOptions {
  readonly runId: string;
  /** What the run does; null: its end is only waited for. */
  readonly body: ((run: RunExecution) => unknown) | null;
  /** False for a run without an id. */
  readonly isDurable: boolean;
  readonly timeoutMs?: number;
  /** Is told of each worker that begins on the run here. */
  readonly onExecution?: (run: RunExecution) => void;
}

const PAUSE_MS = 500;

/** What a creation found. */
export interface CreatedRun {
  /** The journal, if this call created it. */
  readonly held: HeldJournal | null;
  readonly nonce: string;
}

/** What a run starts with. */
export interface CreateRunOptions {
  readonly runId: string;
  readonly input: unknown;
  /** False for a run without an id. */
  readonly isDurable: boolean;
}

/**
 * Creates the journal of a run, or finds that of an earlier start. The journal of a durable run owns itself: nobody but a worker that takes it
 * over may end it. That of any other is ended by whoever finds that its lease has lapsed, and the run's streams with it.
 *
 * @throws {@link WorkflowError} `RUN_EXISTS` when the id belongs to a run of another workflow.
 */
export async function createRun(
  { name, store, leaseMs, ttlMs, retry, randomId }: Runtime,
  { runId, input, isDurable }: CreateRunOptions,
): Promise<CreatedRun> {
  const journalId = runJournalId(runId);
  const nonce = randomId();
  const note: StartNote = { t: 'start', v: 1, workflow: name, by: nonce, ...(input !== undefined && { input }) };
  const options = {
    leaseMs,
    token: 1,
    records: [{ data: encodeJson(note) }],
    ...(isDurable && { owner: journalId }),
    ...(ttlMs !== undefined && { ttlMs }),
  };
  const { created, head } = await retryStoreCall(
    `creating run ${runId}`,
    () => store.create(journalId, options).catch((error: unknown) => found(error)),
    retry,
  );
  if (created && head) return { held: { token: 1, state: stateOf(note), head }, nonce };
  const first = await readNote(store, journalId, 0);
  if (first?.t !== 'start' || first.workflow !== name) {
    const owner = first?.t === 'start' ? `of workflow ${JSON.stringify(first.workflow)}` : 'unreadable';
    throw new WorkflowError('RUN_EXISTS', `Run ${JSON.stringify(runId)} exists and is ${owner}.`);
  }
  // The answer to an earlier try was lost: the run is this call's after all.
  const isMine = first.by === nonce && head?.token === 1;
  return { held: isMine && head ? { token: 1, state: stateOf(first), head } : null, nonce };
}

/**
 * Drives a run to its end: advances it where no other worker does, stands by where one does, and takes over when that one is lost.
 *
 * @returns How the run ended.
 * @throws {@link WorkflowError} `RUN_NOT_FOUND`, or `CLOSED` when the workflow object is closed first.
 */
export async function driveRun(
  runtime: Runtime,
  options: DriveOptions,
  { held, nonce }: CreatedRun,
): Promise<Result<unknown, unknown>> {
  const { name: workflow } = runtime;
  const { runId, body } = options;
  const journalId = runJournalId(runId);
  const observer = createLeaseObserver(runtime.monotonic);
  for (let mine = held; ;) {
    if (runtime.signal.aborted) throw closed(runtime);
    try {
      if (mine && body) return await advance(runtime, { ...options, body, held: mine, nonce });
      const head = await runtime.store.head(journalId);
      if (!head) throw notFound(runId);
      if (head.end) return await readResult(runtime, head);
      const lease = observer.observe(head);
      const isAbandoned = !runtime.store.capabilities.shared && !isActive(journalId);
      if (body && (head.lease === null || lease.state === 'lapsed' || isAbandoned)) {
        mine = await takeOver(runtime, head, (nonce = runtime.randomId()));
        continue;
      }
      const timeoutMs = Math.min(lease.remainingMs, runtime.leaseMs);
      await runtime.store.wait(journalId, { position: Infinity, signal: runtime.signal, timeoutMs });
    } catch (error) {
      const wasAdvanced = mine !== null;
      mine = null;
      if (runtime.signal.aborted) throw closed(runtime);
      if (isStreamNotFound(error)) throw notFound(runId);
      const mayPass = isWorkflowError(error, 'RUN_LOST') || (isStreamError(error) && error.retryable);
      if (!mayPass) {
        // Nobody may be waiting for the result of a run that recovery found.
        if (body && !wasAdvanced && error instanceof Error) runtime.emit({ type: 'run_lost', workflow, runId, error });
        throw error;
      }
      await pause();
    }
  }
}

interface Advance extends DriveOptions {
  readonly body: (run: RunExecution) => unknown;
  readonly held: HeldJournal;
  readonly nonce: string;
}

async function advance(runtime: Runtime, options: Advance): Promise<Result<unknown, unknown>> {
  const { name: workflow, store, leaseMs, replayTimeoutMs, ttlMs, retry, random, signal } = runtime;
  const { runId, body, isDurable, timeoutMs, held, nonce, onExecution } = options;
  const journalId = runJournalId(runId);
  const { token, state, head } = held;
  const run = new RunExecution({
    store,
    runId,
    journalId,
    token,
    nonce,
    state,
    leaseMs,
    isDurable,
    replayTimeoutMs,
    random,
    cancel: head.cancel,
    onEvent: (event) => runtime.emit({ workflow, runId, ...event }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(ttlMs !== undefined && { ttlMs }),
    ...(retry && { retry }),
  });
  const release = markActive(journalId);
  const onClose = (): void => run.lose(closed(runtime));
  signal.addEventListener('abort', onClose, { once: true });
  onExecution?.(run);
  runtime.emit(
    token === 1
      ? { type: 'run_started', workflow, runId }
      : { type: 'run_resumed', workflow, runId, takeover: token - 1 },
  );
  try {
    const { result } = await run.execute(body);
    return result;
  } catch (error) {
    if (error instanceof Error) runtime.emit({ type: 'run_lost', workflow, runId, error });
    if (signal.aborted) await leave(runtime, { runId, isDurable, held }).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', onClose);
    release();
  }
}

/** Nobody need wait for the lease of a worker that goes on purpose: another one takes its run over, or the run ends. */
async function leave(
  { store }: Runtime,
  { runId, isDurable, held }: Pick<Advance, 'runId' | 'isDurable' | 'held'>,
): Promise<void> {
  const { token, state } = held;
  const journalId = runJournalId(runId);
  if (isDurable) {
    await store.mark(journalId, { type: 'lease', token, durationMs: null });
    return;
  }
  const { head: journal } = await store.append(journalId, { token, segments: [{ records: [], end: PRODUCER_LOST }] });
  for (const namespace of state.opened.keys()) {
    const head = await store.head(runStreamId(runId, namespace));
    if (head) await endLost(store, head, journal);
  }
}

/** The result of a run that has ended. */
async function readResult(
  { store }: Runtime,
  { id, nextPosition, end }: StreamHead,
): Promise<Result<unknown, unknown>> {
  const last = await readNote(store, id, nextPosition - 1);
  const settled: SettledNote = last?.t === 'settled' ? last : { t: 'settled', end: end ?? { outcome: 'failed' } };
  return resultOf(settled);
}

async function readNote(store: Runtime['store'], journalId: string, position: number): Promise<Note | null> {
  if (position < 0) return null;
  const { records } = await store.read(journalId, { from: position, limit: 1 });
  const [record] = records;
  return record?.kind === 'data' && typeof record.data === 'string' ? (JSON.parse(record.data) as Note) : null;
}

function stateOf(note: StartNote): JournalState {
  const state = new JournalState();
  state.learn(note);
  return state;
}

/** A journal under a higher token is one that somebody has taken over: it exists. */
function found(error: unknown): { readonly created: false; readonly head: null } {
  if (isStreamError(error) && error.code === 'FENCED') return { created: false, head: null };
  throw error;
}

function closed({ name }: Runtime): WorkflowError<'CLOSED'> {
  return new WorkflowError(
    'CLOSED',
    `Workflow ${JSON.stringify(name)} was closed; its open runs are left to other workers.`,
  );
}

/** The error of an id that no run has. */
export function notFound(runId: string): WorkflowError<'RUN_NOT_FOUND'> {
  return new WorkflowError('RUN_NOT_FOUND', `There is no run ${JSON.stringify(runId)}.`);
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
