import { PublicError } from '@perennial/core';
import { z } from 'zod';

import type { Question } from '../answer/answerer.ts';

const questionSchema = z.object({
  text: z.string().trim().min(1),
  history: z.array(z.object({ question: z.string(), answer: z.string() })).default([]),
});

const assignmentSchema = z.object({
  question: z.preprocess((value) => (typeof value === 'string' ? { text: value } : value), questionSchema),
  points: z.string().default(''),
  written: z.string().default(''),
});

/** What an actor is to do. */
export interface Assignment {
  readonly question: Question;
  /** What the analyst worked out, in Markdown; empty when nobody did. */
  readonly points: string;
  /** The beginning of the actor's text that a crash left, to go on from; mostly empty. */
  readonly written: string;
}

/**
 * Reads an actor's input: a question as text, or an object with `question`, as the actors' own results are.
 *
 * @throws `PublicError` `INVALID_INPUT` with the input.
 */
export function readAssignment(input: unknown): Assignment {
  const parsed = assignmentSchema.safeParse(typeof input === 'string' ? { question: input } : input);
  if (parsed.success) return parsed.data;
  const given = (JSON.stringify(input) ?? String(input)).slice(0, 200);
  throw new PublicError(
    'INVALID_INPUT',
    `The input must be a question such as "How does resume work?", or an object with \`question\`; got ${given}.`,
  );
}
