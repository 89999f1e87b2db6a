import { z } from 'zod';

import { idSchema } from './ids.ts';

/** Longest question in UTF-16 code units. */
export const MAX_QUESTION_LENGTH = 4_000;

/** Body of `POST /api/chat`: ask a question, or ask for a new answer to one. Sending the same `id` again changes nothing. */
export const askSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('question'),
    /** Chosen by the sender; names the question and its answer. */
    id: idSchema,
    chatId: idSchema,
    text: z
      .string()
      .trim()
      .min(1, 'must not be empty')
      .max(MAX_QUESTION_LENGTH, `may have ${MAX_QUESTION_LENGTH} characters`),
    /** To be answered by a team of actors; a new answer to the question will be, too. */
    team: z.literal(true).optional(),
  }),
  z.object({
    type: z.literal('regenerate'),
    /** Chosen by the sender; names the new answer. */
    id: idSchema,
    chatId: idSchema,
    /** Id of the question to answer again. */
    question: idSchema,
  }),
]);

/** See {@link askSchema}. */
export type AskRequest = z.infer<typeof askSchema>;

/** Body of every answer with a status of 400 or more. */
export const problemSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
