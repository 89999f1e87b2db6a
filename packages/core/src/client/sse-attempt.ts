import { EVENT, HEADER, PARAM } from '../http/wire.ts';
import type { StreamEnd } from '../log/end.ts';
import { StreamError } from '../log/errors.ts';
import { createSseDecoder, type ParsedSseEvent } from '../sse/parse.ts';
import {
  type AttemptContext,
  type AttemptOutcome,
  broken,
  deliver,
  pumpBody,
  requestAnswer,
  stopped,
} from './attempt.ts';
import type { StreamEndpoint } from './client-request.ts';
import { parseRecords, type ReceivedRecord } from './received-record.ts';
import { parseControl, readStateHeaders, type RemoteState } from './remote-state.ts';

const EVENT_STREAM = 'text/event-stream';
const NO_CONTENT = 204;

/** Reads a stream over one SSE response (PROTOCOL.md, "SSE"). */
export async function attemptSse(endpoint: StreamEndpoint, context: AttemptContext): Promise<AttemptOutcome> {
  const { times, watchdog, cacheCursor } = context;
  watchdog.expect(times.connectTimeoutMs);
  const params = { [PARAM.live]: 'sse', ...(cacheCursor !== null && { [PARAM.cursor]: cacheCursor }) };
  const answer = await requestAnswer(endpoint, context, params, EVENT_STREAM);
  if ('outcome' in answer) return answer.outcome;
  const { response } = answer;
  if (response.status === NO_CONTENT) return closedTail(context, response);
  if (!response.body || !response.headers.get('Content-Type')?.startsWith(EVENT_STREAM)) {
    await response.body?.cancel().catch(() => undefined);
    return {
      type: 'unusable',
      error: new StreamError('UNSUPPORTED', `${context.name} did not answer with server-sent events.`),
    };
  }
  // A proxy that buffers lets the headers pass and keeps the rest.
  watchdog.expect(times.firstByteMs);
  return readEvents(context, response, response.body);
}

async function readEvents(
  context: AttemptContext,
  response: Response,
  body: ReadableStream<Uint8Array>,
): Promise<AttemptOutcome> {
  const { times, watchdog, signal } = context;
  const decoder = createSseDecoder();
  let heard = false;
  let end: StreamEnd | null = null;
  const take = (bytes: Uint8Array): boolean | Promise<boolean> => {
    if (heard) {
      watchdog.touch();
    } else {
      heard = true;
      context.onAnswer(response.headers.get(HEADER.incarnation));
      watchdog.expect(times.silenceMs);
    }
    return takeEvents(context, decoder.push(bytes), (found) => (end = found));
  };
  let outcome: AttemptOutcome = { type: 'rollover' };
  try {
    await pumpBody(body, signal, take);
  } catch (error) {
    outcome = broken(context, error);
  }
  if (end) return { type: 'ended', end };
  return stopped(context, heard ? 'dropped' : 'unusable') ?? outcome;
}

/** Hands over what the events say; true once one of them was the stream's end. */
function takeEvents(
  context: AttemptContext,
  events: readonly ParsedSseEvent[],
  onEnd: (end: StreamEnd) => void,
): boolean | Promise<boolean> {
  const { cursor, times, parseJson } = context;
  let records: readonly ReceivedRecord[] = [];
  let state: RemoteState | null = null;
  let failure: { readonly error: unknown } | null = null;
  try {
    for (const { event, data } of events) {
      if (event === EVENT.data) {
        const fresh = cursor.admit(parseRecords(data, parseJson));
        records = records.length === 0 ? fresh : records.concat(fresh);
      } else if (event === EVENT.control) {
        state = parseControl(data);
        cursor.reach(state.position, state.upToDate || state.end !== null);
        if (state.end) break;
      }
    }
  } catch (error) {
    // What came before the damage is whole: deliver it, so that each connection makes what progress it can.
    failure = { error };
    state = null;
  }
  const finish = (): boolean => {
    if (failure) throw failure.error;
    if (!state?.end) return false;
    onEnd(state.end);
    return true;
  };
  const taken = records.length > 0 || state ? deliver(context, { records, state }, times.silenceMs) : undefined;
  return taken ? taken.then(finish) : finish();
}

/** The answer at the tail of an ended stream has no body; its headers say how the stream ended. */
async function closedTail(context: AttemptContext, response: Response): Promise<AttemptOutcome> {
  try {
    const state = readStateHeaders(response.headers);
    context.cursor.reach(state.position, state.upToDate || state.end !== null);
    context.onAnswer(response.headers.get(HEADER.incarnation));
    await context.deliver({ records: [], state });
    if (state.end) return { type: 'ended', end: state.end };
  } catch (error) {
    return broken(context, error);
  }
  return {
    type: 'unusable',
    error: new StreamError('UNSUPPORTED', `${context.name} answered 204 to a request for server-sent events.`),
  };
}
