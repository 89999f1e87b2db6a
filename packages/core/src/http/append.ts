import type { StreamHead } from '../log/head.ts';
import type { AppendSegment, SegmentProducer, SegmentResult } from '../log/store.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import { readBody } from './body.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import type { RoutedRequest } from './http-request.ts';
import { readContentType, readRecords } from './payload.ts';
import { badRequest, HttpProblem } from './problem.ts';
import { readEnd, readExpectedPosition, readProducer, readStreamSeq } from './request-headers.ts';
import { tailHeaders } from './state.ts';
import { HEADER } from './wire.ts';

/** `POST {stream}`: appends, closes, or both at once (PROTOCOL.md, "Append over HTTP"). */
export async function handleAppend(context: HandlerContext, { request, id }: StreamRequest): Promise<StreamHttpAnswer> {
  await context.guard(request, id, 'append');
  const segment = await readSegment(context, request);
  const { head, segments } = await context.store.append(id, { segments: [segment] });
  const [result] = segments;
  if (!result) throw new Error('The store answered an append of one segment without a result.');
  return answerAppend(context, segment, { head, result });
}

async function readSegment({ limits }: HandlerContext, request: RoutedRequest): Promise<AppendSegment> {
  const producer = readProducer(request);
  const streamSeq = readStreamSeq(request);
  const expectedPosition = readExpectedPosition(request);
  const end = readEnd(request);
  const contentType = readContentType(request);
  const body = await readBody(request, limits.maxBodyBytes);
  const shared = {
    sequencing: 'segment' as const,
    ...(producer && { producer }),
    ...(end && { end }),
    ...(streamSeq !== undefined && { streamSeq }),
    ...(expectedPosition !== undefined && { expectedPosition }),
  };
  if (body.byteLength === 0) {
    if (!end)
      throw badRequest('body', `An append needs a body, or ${HEADER.closed}: true to close the stream without one.`);
    // A close carries no bytes, so its content type says nothing.
    return { ...shared, records: [] };
  }
  if (contentType === undefined)
    throw badRequest('Content-Type', 'An append needs a Content-Type: that of the stream.');
  const records = readRecords(body, contentType, limits);
  if (records.length === 0)
    throw badRequest('body', 'An append of an empty array stores nothing; send at least one value.');
  return { ...shared, records, contentType };
}

interface Answered {
  readonly head: StreamHead;
  readonly result: SegmentResult;
}

function answerAppend(
  { store }: HandlerContext,
  segment: AppendSegment,
  { head, result }: Answered,
): StreamHttpAnswer | Promise<StreamHttpAnswer> {
  const { producer, records } = segment;
  const tail = tailHeaders(head);
  switch (result.status) {
    case 'ok':
      // The base protocol tells new data of a producer (200) from its repetition (204).
      return emptyAnswer(producer && records.length > 0 ? 200 : 204, withProducer(tail, producer, producer?.seq));
    case 'duplicate':
      return emptyAnswer(204, withProducer(tail, producer, result.nextSeq - 1));
    case 'closed':
      // Closing what is closed is no conflict; a producer, however, has to learn that it was not the one.
      if (records.length === 0 && !producer) return emptyAnswer(204, tail);
      throw new HttpProblem(409, 'CLOSED', 'The stream is closed; nothing was appended.', { headers: tail });
    case 'stale-epoch':
      throw new HttpProblem(
        403,
        'STALE_EPOCH',
        `A producer with this id has epoch ${result.epoch} already; this one must stop.`,
        {
          headers: { [HEADER.producerEpoch]: String(result.epoch) },
          fields: { epoch: result.epoch },
        },
      );
    case 'content-type':
      throw new HttpProblem(409, 'CONTENT_TYPE', `The stream's content type is ${result.contentType}.`, {
        fields: { contentType: result.contentType },
      });
    case 'gap':
      return refuseGap(() => store.producer(head.id, producer?.id ?? ''), producer, result.expectedSeq);
    case 'regression':
      throw new HttpProblem(
        409,
        'SEQUENCE_REGRESSION',
        `${HEADER.seq} must be greater than ${JSON.stringify(result.streamSeq)}.`,
        { fields: { streamSeq: result.streamSeq } },
      );
    case 'conflict':
      throw conflictProblem(head, segment, result.nextPosition);
  }
}

async function refuseGap(
  stored: () => Promise<unknown>,
  producer: SegmentProducer | undefined,
  expectedSeq: number,
): Promise<never> {
  const seq = producer?.seq ?? 0;
  // A known producer that starts an epoch anywhere but at 0 has made a mistake; an unknown one may have lost the start on the way.
  if (expectedSeq === 0 && (await stored()) !== null)
    throw badRequest(HEADER.producerSeq, `A new epoch starts at sequence 0, not at ${seq}.`);
  throw new HttpProblem(
    409,
    'SEQUENCE_GAP',
    `The producer's next sequence is ${expectedSeq}; got ${seq}. Send what is missing first.`,
    {
      headers: { [HEADER.producerExpectedSeq]: String(expectedSeq), [HEADER.producerReceivedSeq]: String(seq) },
      fields: { expectedSeq },
    },
  );
}

function conflictProblem(head: StreamHead, { expectedPosition }: AppendSegment, nextPosition: number): HttpProblem {
  return new HttpProblem(
    412,
    'CONFLICT',
    `The next position is ${nextPosition}, not ${expectedPosition}; nothing was appended.`,
    {
      headers: tailHeaders(head),
      fields: { nextPosition },
    },
  );
}

function withProducer(
  tail: Record<string, string>,
  producer: SegmentProducer | undefined,
  seq: number | undefined,
): Record<string, string> {
  if (!producer) return tail;
  return { ...tail, [HEADER.producerEpoch]: String(producer.epoch), [HEADER.producerSeq]: String(seq) };
}
