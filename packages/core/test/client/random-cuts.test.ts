import { connectStream } from '@perennial/core/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createManualClock, settle } from './support/manual-clock.ts';
import {
  COMPLETED,
  controlEvent,
  createScriptedServer,
  dataEvent,
  record,
  type ScriptedRequest,
  supersede,
  type Wire,
} from './support/scripted-server.ts';

const encoder = new TextEncoder();

/** What a server would send from a position on: records in events of `perEvent`, each followed by a control event, heartbeats, the end. */
function sseFrom(log: readonly Wire[], from: number, perEvent: number): Uint8Array {
  let text = ':\n\n';
  for (let i = from; i < log.length; i += perEvent) {
    const page = log.slice(i, i + perEvent);
    text += `${dataEvent(...page)}${controlEvent(i + page.length, { upToDate: i + page.length === log.length })}:\n\n`;
  }
  return encoder.encode(text + controlEvent(log.length, { end: COMPLETED }));
}

function requestedPosition({ url }: ScriptedRequest): number {
  const offset = url.searchParams.get('offset') ?? '';
  return offset === '-1' ? 0 : Number(offset.slice(0, 16));
}

const payload: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  // JSON has no negative zero.
  fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
);
const step = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });
const wire = fc.oneof(
  { weight: 6, arbitrary: fc.record({ value: payload, step }) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b') },
);

describe('cut anywhere', () => {
  it('gives exactly the same records, whatever is cut, repeated or split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(wire, { maxLength: 25 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(
          fc.record({
            bytes: fc.nat(2_000),
            chunk: fc.integer({ min: 1, max: 200 }),
            back: fc.nat(3),
            how: fc.constantFrom('drop', 'close', 'status'),
          }),
          { maxLength: 12 },
        ),
        async (items, perEvent, cuts) => {
          const log = items.map((item, i) =>
            typeof item === 'string' ? supersede(i, item, 2) : record(i, item.value, item.step),
          );
          const server = createScriptedServer();
          const clock = createManualClock();
          const received: Wire[] = [];
          const connection = connectStream({
            url: '/s',
            fetch: server.fetch,
            clock,
            wakeSignals: () => () => undefined,
            onRecords: (records) => {
              for (const item of records) {
                const { position: p, timestamp: t } = item;
                if (item.kind === 'supersede')
                  received.push({ p, t, x: { step: item.step, belowAttempt: item.belowAttempt } });
                else received.push({ p, t, d: item.value, ...(item.step !== undefined && { s: item.step }) });
              }
            },
          });
          for (const cut of [...cuts, { bytes: Infinity, chunk: 64, back: 1, how: 'close' }]) {
            while (server.waiting === 0 && connection.state.phase !== 'ended' && connection.state.phase !== 'failed')
              await clock.advance(500);
            if (connection.state.phase === 'ended' || connection.state.phase === 'failed') break;
            const request = await server.next();
            if (cut.how === 'status') {
              request.respond(502);
              continue;
            }
            // A resumed response may begin earlier than asked for.
            const bytes = sseFrom(log, Math.max(0, requestedPosition(request) - cut.back), perEvent).subarray(
              0,
              cut.bytes,
            );
            const body = request.sse();
            for (let i = 0; i < bytes.length; i += cut.chunk) body.send(bytes.slice(i, i + cut.chunk));
            await settle();
            if (cut.how === 'drop') body.drop();
            else body.close();
            await settle();
          }
          await settle();
          expect(received).toEqual(log);
          expect(connection.state).toMatchObject({ phase: 'ended', position: log.length, end: COMPLETED });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('survives a cut at every single byte', async () => {
    const log = [
      record(0, 'é👍'),
      record(1, { a: [1, 2] }, 's', 1),
      supersede(2, 's', 2),
      record(3, 'line\nbreak', 's', 2),
    ];
    const whole = sseFrom(log, 0, 2);
    for (let cut = 0; cut <= whole.length; cut++) {
      const server = createScriptedServer();
      const clock = createManualClock();
      const positions: number[] = [];
      const connection = connectStream({
        url: '/s',
        fetch: server.fetch,
        clock,
        wakeSignals: () => () => undefined,
        onRecords: (records) => {
          positions.push(...records.map(({ position }) => position));
        },
      });
      const body = (await server.next()).sse();
      body.send(whole.slice(0, cut));
      await settle();
      body.drop();
      while (server.waiting === 0 && connection.state.phase !== 'ended' && connection.state.phase !== 'failed')
        await clock.advance(500);
      if (connection.state.phase !== 'ended') {
        const request = await server.next();
        request.sse().send(sseFrom(log, requestedPosition(request), 2));
      }
      await settle();
      expect([positions, connection.state.phase]).toEqual([[0, 1, 2, 3], 'ended']);
    }
  });
});
