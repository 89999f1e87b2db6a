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

/** One value of an answer's stream: that its run has begun, then the sources, then the text in small pieces. */
export const answerEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('begun') }),
  z.object({ type: z.literal('sources'), answerer: answererSchema, sources: z.array(sourceSchema) }),
  z.object({ type: z.literal('text'), delta: z.string() }),
]);

/** See {@link answerEventSchema}. */
export type AnswerEvent = z.infer<typeof answerEventSchema>;

/** What the events of an answer's stream add up to. */
export interface Answer {
  /** Null until the first event has arrived. */
  readonly answerer: AnswererInfo | null;
  /** Source `n` of the text's `[n]` is at index `n - 1`. */
  readonly sources: readonly Source[];
  /** Markdown. */
  readonly text: string;
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
  }
}
