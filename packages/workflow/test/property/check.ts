import { liveView, type StreamRecord } from '@perennial/core';

import type { ResultNote } from '../../src/journal/notes.ts';
import { type RecordedResult, trace, type Trace } from './oracle.ts';
import type { Program } from './program.ts';
import type { Remains } from './world.ts';

interface Token {
  readonly value: string;
  readonly step: string | undefined;
}

/** What a run left behind that it should not have; empty when all guarantees hold. */
export function check(program: Program, remains: Remains): string[] {
  const { notes, journal } = remains;
  const settled = notes.flatMap((note) => (note.t === 'settled' ? [note] : []));
  const [last] = settled;
  if (settled.length !== 1 || !last || !journal.end)
    return [`the journal has ${settled.length} outcomes and ${journal.end ? 'an' : 'no'} end`];
  const results = notes.flatMap((note) => (note.t === 'result' ? [note] : []));
  if (new Set(results.map(({ key }) => key)).size !== results.length) return ['a step has two results'];
  const expected = trace(program, results.map(toRecorded));
  return [
    ...checkOutcome(program, last.end.outcome, last.end.error?.code, expected),
    ...checkRepetition(program, remains),
    ...Object.keys(remains.streams).flatMap((ns) => [...checkStream(ns, { program, remains, results, expected })]),
    ...remains.readers.flatMap((reader) => [...checkReader(reader, remains)]),
  ];
}

function toRecorded({ key, ok, closes = [] }: ResultNote): RecordedResult {
  return { key, ok, closes: closes.map(({ ns }) => ns) };
}

function checkOutcome(program: Program, outcome: string, code: string | undefined, expected: Trace): string[] {
  const isRight =
    (outcome === 'completed' && expected.outcome === 'returned') ||
    (outcome === 'cancelled' && program.isCancelled) ||
    (outcome === 'failed' && code === 'NONDETERMINISTIC' && program.isNondeterministic) ||
    (outcome === 'failed' && code === 'Error' && expected.outcome === 'threw');
  return isRight ? [] : [`the run ended as ${outcome} ${code ?? ''}, its body ${expected.outcome ?? 'waits'}`];
}

/** A body that writes something else on each worker cannot have been taken over and yet complete. */
function checkRepetition({ isNondeterministic }: Program, { journal, streams }: Remains): string[] {
  if (!isNondeterministic || journal.end?.outcome !== 'completed') return [];
  const values = Object.values(streams).flatMap((stream) => stream?.records ?? []);
  const authors = values.flatMap((record) =>
    record.kind === 'data' && record.step === undefined ? [String(record.data).split('@')[1]] : [],
  );
  return new Set(authors).size > 1 ? [`the body wrote as ${[...new Set(authors)].join()}, which nobody noticed`] : [];
}

interface Context {
  readonly program: Program;
  readonly remains: Remains;
  readonly results: readonly ResultNote[];
  readonly expected: Trace;
}

function* checkStream(ns: string, context: Context): Generator<string> {
  const { remains, expected } = context;
  const stream = remains.streams[ns];
  const isOpened = remains.notes.some((note) => note.t === 'open' && note.ns === ns);
  if (isOpened !== Boolean(stream)) yield `${ns} ${stream ? 'exists without' : 'is missing after'} its opening`;
  if (!stream) return;
  const { head, records } = stream;
  if (!head.end) return yield `${ns} has no end`;
  if (records.some(({ position }, i) => position !== i) || head.nextPosition !== records.length)
    yield `${ns} has positions that are not dense`;
  const outcome = remains.journal.end?.outcome;
  const isWhole = isWholeOutcome(remains);
  const isClosed = expected.closed.has(ns) && (isWhole || head.end.outcome === 'completed');
  if (head.end.outcome !== (isClosed ? 'completed' : outcome))
    yield `${ns} ended as ${head.end.outcome}, the run as ${outcome}`;
  const tokens = liveView(records).map((record): Token => ({
    value: JSON.parse(String(record.data)) as string,
    step: record.step,
  }));
  yield* checkBody(ns, tokens, context);
  yield* checkTokens(ns, tokens, records, context);
  yield* checkOrder(ns, tokens, expected);
}

/** True when the run did all that its body wanted: it returned or threw. */
function isWholeOutcome({ journal }: Remains): boolean {
  const { outcome, error } = journal.end ?? {};
  return outcome === 'completed' || (outcome === 'failed' && error?.code !== 'NONDETERMINISTIC');
}

function* checkBody(ns: string, tokens: readonly Token[], { remains, expected }: Context): Generator<string> {
  const written = tokens.filter(({ step }) => step === undefined).map(({ value }) => value.split('@')[0]);
  const wanted = (expected.writes[ns] ?? []).map(({ value }) => value);
  const isPrefix = written.every((value, i) => value === wanted[i]);
  if (!isPrefix || (isWholeOutcome(remains) && written.length !== wanted.length))
    yield `${ns}: the body wrote [${written.join()}], expected [${wanted.join()}]`;
}

/** Of each step, exactly the tokens of its last attempt; of one that failed or did not finish, a beginning of them. */
function* checkTokens(
  ns: string,
  tokens: readonly Token[],
  records: readonly StreamRecord[],
  context: Context,
): Generator<string> {
  const { remains, results } = context;
  const steps = new Set([...results.map(({ key }) => key), ...tokens.flatMap(({ step }) => (step ? [step] : []))]);
  for (const key of steps) {
    const result = results.find((note) => note.key === key);
    const seen = tokens.filter(({ step }) => step === key).map(({ value }) => value);
    const uid = result?.ok ? String(result.value) : (seen[0]?.split(':')[0] ?? '');
    const truth = remains.truth.get(uid)?.[ns] ?? [];
    const isPrefix = seen.every((value, i) => value === truth[i]);
    if (!isPrefix || (result?.ok && seen.length !== truth.length))
      yield `${ns}: ${key} shows [${seen.join()}], ${uid} wrote [${truth.join()}]`;
    if (result) continue;
    const last = Math.max(...remains.notes.map((note) => (note.t === 'attempt' && note.key === key ? note.n : 0)));
    const shown = records.flatMap((record) =>
      record.kind === 'data' && record.step === key ? [record.attempt ?? 1] : [],
    );
    if (seen.length > 0 && Math.max(...shown) !== last)
      yield `${ns}: unfinished ${key} shows an attempt before ${last}`;
  }
}

/** Tokens stand between the writes of the body that surround their step. */
function* checkOrder(ns: string, tokens: readonly Token[], { writes, steps }: Trace): Generator<string> {
  const times = (writes[ns] ?? []).map(({ time }) => time);
  let written = 0;
  for (const { step, value } of tokens) {
    if (step === undefined) {
      written++;
      continue;
    }
    const { called, delivered } = steps.get(step) ?? { called: Infinity, delivered: -1 };
    const least = times.filter((time) => time < called).length;
    const most = times.filter((time) => time < delivered).length;
    if (written < least || written > most)
      yield `${ns}: ${value} stands behind ${written} writes of the body, ${least} to ${most} may be`;
  }
}

function* checkReader(
  { ns, view, values, end }: Remains['readers'][number],
  { streams, journal }: Remains,
): Generator<string> {
  const stream = streams[ns];
  const records = stream?.records ?? [];
  const data =
    view === 'live' ? liveView(records) : records.flatMap((record) => (record.kind === 'data' ? [record] : []));
  const wanted = data.map((record) => JSON.parse(String(record.data)) as string);
  if (wanted.join() !== values.join())
    yield `a ${view} reader of ${ns} saw [${values.join()}], stored is [${wanted.join()}]`;
  const ended = (stream?.head ?? journal).end?.outcome;
  if (end !== ended) yield `a ${view} reader of ${ns} saw the end ${end}, it is ${ended}`;
}
