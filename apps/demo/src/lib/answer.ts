import { z } from 'zod';

import { type Source, sourceSchema } from './source.ts';

/** Who wrote an answer. */
export const answererSchema = z.object({
  /** `offline`: sentences taken from the documents. `model`: a language model behind an endpoint. */
  kind: z.enum(['offline', 'model']),
  /** Name of the model; for `offline` a fixed label. */
  name: z.string(),
});

/** See {@link answererSchema}. */
export type AnswererInfo = z.infer<typeof answererSchema>;

/** The actors of a team, in the order in which they work. */
export const TEAM_MEMBERS = ['researcher', 'analyst', 'writer'] as const;

/** See {@link TEAM_MEMBERS}. */
export type TeamMember = (typeof TEAM_MEMBERS)[number];

const contributionStateSchema = z.enum(['working', 'done', 'failed']);

/**
 * One value of an answer's stream: that its run has begun, then the sources, then the text in small pieces. A team's answer has
 * contributions in place of the text: what an actor says next, and how it is.
 */
export const answerEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('begun') }),
  z.object({ type: z.literal('sources'), answerer: answererSchema, sources: z.array(sourceSchema) }),
  z.object({ type: z.literal('text'), delta: z.string() }),
  z.object({
    type: z.literal('contribution'),
    actor: z.enum(TEAM_MEMBERS),
    output: z.string(),
    state: contributionStateSchema,
  }),
]);

/** See {@link answerEventSchema}. */
export type AnswerEvent = z.infer<typeof answerEventSchema>;

/** What an actor of a team has contributed. */
export interface Contribution {
  readonly state: z.infer<typeof contributionStateSchema>;
  /** Markdown; of the writer empty, since its text is the answer's. */
  readonly text: string;
}

/** The contributions of those who have begun. */
export type TeamContributions = Readonly<Partial<Record<TeamMember, Contribution>>>;

/** What the events of an answer's stream add up to. */
export interface Answer {
  /** Null until the first event has arrived. */
  readonly answerer: AnswererInfo | null;
  /** Source `n` of the text's `[n]` is at index `n - 1`. */
  readonly sources: readonly Source[];
  /** Markdown. */
  readonly text: string;
  /** Only of an answer by a team that has begun. */
  readonly team?: TeamContributions;
}

/** An answer of which nothing has arrived. */
export const EMPTY_ANSWER: Answer = { answerer: null, sources: [], text: '' };

/** Adds one event to an answer. */
export function foldAnswer(answer: Answer, event: AnswerEvent): Answer {
  switch (event.type) {
    case 'begun':
      return answer;
    case 'sources':
      return { ...answer, answerer: event.answerer, sources: event.sources };
    case 'text':
      return { ...answer, text: answer.text + event.delta };
    case 'contribution':
      return foldContribution(answer, event);
  }
}

function foldContribution(
  answer: Answer,
  { actor, output, state }: Extract<AnswerEvent, { type: 'contribution' }>,
): Answer {
  const text = actor === 'writer' ? '' : (answer.team?.[actor]?.text ?? '') + output;
  return {
    ...answer,
    text: actor === 'writer' ? answer.text + output : answer.text,
    team: { ...answer.team, [actor]: { state, text } },
  };
}
