import { HEADER, PARAM } from '../http/wire.ts';
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
import { readStateHeaders } from './remote-state.ts';

const JSON_TYPE = 'application/json';
const NO_CONTENT = 204;

/**
 * Reads one page of a stream: at once while there is more, by a long-poll once everything was read (PROTOCOL.md, "Long-poll"). For
 * networks that do not let server-sent events through.
 */
export async function attemptPoll(endpoint: StreamEndpoint, context: AttemptContext): Promise<AttemptOutcome> {
  const { times, watchdog, cacheCursor, upToDate, cursor } = context;
  const live = upToDate && cursor.position !== null;
  watchdog.expect(live ? times.longPollTimeoutMs : times.connectTimeoutMs);
  const params = live
    ? { [PARAM.live]: 'long-poll', ...(cacheCursor !== null && { [PARAM.cursor]: cacheCursor }) }
    : {};
  const answer = await requestAnswer(endpoint, context, params, JSON_TYPE);
  if ('outcome' in answer) return answer.outcome;
  watchdog.expect(times.silenceMs);
  try {
    return await takePage(context, answer.response, live);
  } catch (error) {
    return stopped(context, 'dropped') ?? broken(context, error);
  }
}

async function takePage(context: AttemptContext, response: Response, live: boolean): Promise<AttemptOutcome> {
  const { cursor, times, parseJson } = context;
  const page = response.status === NO_CONTENT ? [] : parseRecords(await readText(context, response), parseJson);
  const interrupted = stopped(context, 'dropped');
  if (interrupted) return interrupted;
  const state = readStateHeaders(response.headers);
  const records: readonly ReceivedRecord[] = cursor.admit(page);
  cursor.reach(state.position, state.upToDate || state.end !== null);
  context.onAnswer(response.headers.get(HEADER.incarnation));
  await deliver(context, { records, state }, times.silenceMs);
  return state.end ? { type: 'ended', end: state.end } : { type: 'polled', idle: live && records.length === 0 };
}

async function readText({ signal, watchdog }: AttemptContext, { body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (!body) return text;
  await pumpBody(body, signal, (bytes) => {
    watchdog.touch();
    text += decoder.decode(bytes, { stream: true });
    return false;
  });
  return text + decoder.decode();
}
