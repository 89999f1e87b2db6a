import {
  ActorFailedError,
  type ActorRegistry,
  type Contribution,
  createTeam,
  type TeamMember as Member,
} from '@perennial/actor';
import { PublicError } from '@perennial/core';
import { z } from 'zod';

import { type Answer, type AnswerEvent, TEAM_MEMBERS, type TeamMember } from '../../lib/answer.ts';
import { createDemoActors } from '../actors/registry.ts';
import { answerSources } from '../actors/say.ts';
import { type Answerer, type AnswerTask, assertSameAnswerer } from './answerer.ts';

const memberSchema = z.enum(TEAM_MEMBERS);
const analysisSchema = z.object({ points: z.string() });
const STATES = { data: 'working', progress: 'working', complete: 'done', error: 'failed' } as const;

/** Options of {@link createTeamAnswerer}. */
export interface TeamAnswererOptions {
  /** Who answers for the actors. */
  readonly answerer: Answerer;
  /** Of what researcher and analyst report without a model; 0 = no pause. */
  readonly wordsPerSecond: number;
}

/** Answers as a team of actors, whose contributions are the answer's events; an answer that was cut short goes on as its answerer's do. */
export function createTeamAnswerer({ answerer, wordsPerSecond }: TeamAnswererOptions): Answerer {
  const info = { kind: answerer.info.kind, name: `Team · ${answerer.info.name}` };
  return {
    info,
    continues: answerer.continues,
    find: (question) => answerer.find(question),
    async *answer(task, signal) {
      const { question, findings, written } = task;
      assertSameAnswerer(written, info);
      const desk = { answerer, find: async () => findings, wordsPerSecond };
      if (written.answerer === null)
        yield { type: 'sources', answerer: info, sources: await answerSources(desk, { question, findings }) };
      const left = membersLeft(task, createDemoActors(desk));
      if (Object.keys(left).length === 0) return;
      try {
        yield* toEvents(createTeam({ members: left }).stream(question, { signal }));
      } catch (error) {
        if (signal.aborted) return;
        throw toReaderError(error);
      }
    },
  };
}

/** The actors that are not done, each after those before it that are not done either. */
function membersLeft({ question, written }: AnswerTask, actors: ActorRegistry): Record<string, Member> {
  const left = TEAM_MEMBERS.filter((name) => written.team?.[name]?.state !== 'done');
  return Object.fromEntries(
    left.map((name, index) => [
      name,
      {
        actor: actors.get(name),
        after: left.slice(0, index),
        input: (_: unknown, results: Readonly<Record<string, unknown>>) => ({
          question,
          points: pointsOf(results['analyst']) ?? written.team?.analyst?.text ?? '',
          written: writtenBy(name, written),
        }),
      },
    ]),
  );
}

function writtenBy(name: TeamMember, { text, team }: Answer): string {
  return name === 'writer' ? text : (team?.[name]?.text ?? '');
}

function pointsOf(analysis: unknown): string | null {
  const parsed = analysisSchema.safeParse(analysis);
  return parsed.success ? parsed.data.points : null;
}

/** What a team says, as the events of an answer. */
async function* toEvents(contributions: AsyncIterable<Contribution>): AsyncGenerator<AnswerEvent> {
  for await (const { actor: name, type, output } of contributions) {
    const actor = memberSchema.parse(name);
    // Of progress and of the results only the state is news: the text came in pieces, and a failure's reason is the end of the answer.
    const said = type === 'data' && typeof output === 'string' ? output : '';
    yield { type: 'contribution', actor, output: said, state: STATES[type] };
  }
}

/** What a reader may know of a failure stays what it was; the rest is for the operator. */
function toReaderError(error: unknown): unknown {
  if (!(error instanceof ActorFailedError) || error.failure.name !== 'PublicError') return error;
  return new PublicError(error.failure.code, error.failure.message, { cause: error });
}
