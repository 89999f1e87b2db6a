import type { StreamEnd } from '../log/end.ts';
import { StreamError } from '../log/errors.ts';
import type { AttemptOutcome } from './attempt.ts';
import { backoffDelay } from './backoff.ts';

/** How the bytes of a stream travel. */
export type Transport = 'sse' | 'long-poll';

/** What a connection remembers from one attempt to the next. */
export interface MachineMemory {
  /** Failed attempts in a row. */
  readonly failures: number;
  /** Attempts in a row that brought nothing but damage. */
  readonly corruptions: number;
  /** How often server-sent events did not get through. */
  readonly strikes: number;
  readonly transport: Transport;
  /** True once the stream was found. */
  readonly found: boolean;
}

/** What the connection does next. */
export type Step =
  | { readonly type: 'connect' }
  /** `error`: why; null for a pause that is no failure. */
  | { readonly type: 'wait'; readonly delayMs: number; readonly error: StreamError | null }
  | { readonly type: 'ended'; readonly end: StreamEnd }
  | { readonly type: 'failed'; readonly error: StreamError }
  | { readonly type: 'closed' };

/** An attempt that is over. */
export interface AttemptReport {
  readonly outcome: AttemptOutcome;
  /** The server answered with the stream, or a part of it. */
  readonly answered: boolean;
  /** It brought records. */
  readonly progressed: boolean;
  readonly durationMs: number;
  /** Since the connection was opened. */
  readonly elapsedMs: number;
}

/** What {@link nextStep} goes by. */
export interface MachinePolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Failures in a row after which the connection gives up. */
  readonly maxFailures: number;
  /** How long a stream that does not exist is waited for, in ms. */
  readonly waitForCreateMs: number;
  /** `auto`: server-sent events, long-polling where they do not get through. */
  readonly transport: Transport | 'auto';
  readonly random: () => number;
}

/** Damaged answers in a row at one position after which the damage is taken for lasting. */
const MAX_CORRUPTIONS = 5;
/** Strikes after which server-sent events are not tried again of our own accord. */
const MAX_STRIKES = 2;
/** A connection that lived this long worked, also without records. */
const STABLE_MS = 5_000;
/** Responses shorter than this, with nothing in them, are not repeated at once: it would be a busy loop. */
const BUSY_MS = 1_000;
const MAX_CREATE_PAUSE_MS = 1_000;

/** The memory of a connection that has not tried anything yet. */
export function initialMemory({ transport }: MachinePolicy): MachineMemory {
  return { failures: 0, corruptions: 0, strikes: 0, transport: transport === 'auto' ? 'sse' : transport, found: false };
}

/** Decides what follows an attempt; the states and their transitions are those of `connection.ts`. */
export function nextStep(
  before: MachineMemory,
  report: AttemptReport,
  policy: MachinePolicy,
): readonly [MachineMemory, Step] {
  const { outcome, answered, progressed, durationMs } = report;
  const worked = progressed || (answered && durationMs >= STABLE_MS);
  const found = before.found || answered;
  const memory: MachineMemory = {
    ...before,
    found,
    failures: worked ? 0 : before.failures,
    corruptions: progressed ? 0 : before.corruptions,
  };
  switch (outcome.type) {
    case 'ended':
      return [memory, { type: 'ended', end: outcome.end }];
    case 'fatal':
      return [memory, { type: 'failed', error: outcome.error }];
    case 'stopped':
      return outcome.reason === 'closed'
        ? [memory, { type: 'closed' }]
        : [{ ...memory, failures: 0 }, { type: 'connect' }];
    case 'rollover':
      if (worked || durationMs >= BUSY_MS) return [{ ...memory, failures: 0 }, { type: 'connect' }];
      return fail(
        memory,
        policy,
        new StreamError('STORE_ERROR', 'The server closed the connection at once, without an end.'),
      );
    case 'polled':
      if (outcome.idle && durationMs < BUSY_MS)
        return [
          { ...memory, failures: 0, corruptions: 0 },
          { type: 'wait', delayMs: BUSY_MS, error: null },
        ];
      return [{ ...memory, failures: 0, corruptions: 0 }, { type: 'connect' }];
    case 'unusable':
      return fallBack(memory, policy, outcome.error);
    case 'timeout':
      return fail(
        { ...memory, strikes: memory.strikes + (memory.transport === 'sse' ? 1 : 0) },
        policy,
        outcome.error,
        { switchTransport: true },
      );
    case 'dropped':
      return fail(memory, policy, outcome.error, { retryAfterMs: outcome.retryAfterMs });
    case 'corrupt':
      if (memory.corruptions + 1 >= MAX_CORRUPTIONS) return [memory, { type: 'failed', error: outcome.error }];
      return fail({ ...memory, corruptions: memory.corruptions + 1 }, policy, outcome.error);
    case 'not-found':
      return awaitCreation(memory, report, policy, outcome.error);
  }
}

/** Server-sent events do not get through: polls at once, unless only server-sent events are wanted. */
function fallBack(memory: MachineMemory, policy: MachinePolicy, error: StreamError): readonly [MachineMemory, Step] {
  if (policy.transport === 'sse') return fail(memory, policy, error);
  return [{ ...memory, strikes: memory.strikes + 1, transport: 'long-poll' }, { type: 'connect' }];
}

function awaitCreation(
  memory: MachineMemory,
  { elapsedMs }: AttemptReport,
  policy: MachinePolicy,
  error: StreamError,
): readonly [MachineMemory, Step] {
  if (memory.found || elapsedMs >= policy.waitForCreateMs) return [memory, { type: 'failed', error }];
  const failures = memory.failures + 1;
  const delayMs = Math.min(backoffDelay(failures, policy), MAX_CREATE_PAUSE_MS, policy.waitForCreateMs - elapsedMs);
  return [
    { ...memory, failures },
    { type: 'wait', delayMs, error: null },
  ];
}

interface FailOptions {
  readonly retryAfterMs?: number | null;
  readonly switchTransport?: boolean;
}

function fail(
  before: MachineMemory,
  policy: MachinePolicy,
  error: StreamError,
  { retryAfterMs = null, switchTransport = false }: FailOptions = {},
): readonly [MachineMemory, Step] {
  const failures = before.failures + 1;
  const memory: MachineMemory = { ...before, failures, transport: transportAfter(before, policy, switchTransport) };
  if (failures > policy.maxFailures) return [memory, { type: 'failed', error }];
  const jitterMs = backoffDelay(failures, policy);
  // The server's wish is a lower bound; the jitter keeps those it told the same from coming back together.
  return [
    memory,
    {
      type: 'wait',
      delayMs: retryAfterMs === null ? jitterMs : retryAfterMs + Math.min(jitterMs, policy.baseMs),
      error,
    },
  ];
}

function transportAfter(
  { transport, strikes }: MachineMemory,
  policy: MachinePolicy,
  switchTransport: boolean,
): Transport {
  if (policy.transport !== 'auto') return policy.transport;
  if (switchTransport) return transport === 'sse' ? 'long-poll' : 'sse';
  return strikes >= MAX_STRIKES ? 'long-poll' : 'sse';
}
