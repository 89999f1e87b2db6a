import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';

import type { Passage } from '../corpus/passage.ts';
import { HISTORY_TURNS, type Question } from './answerer.ts';

const MAX_ANSWER_LENGTH = 2_000;

const INSTRUCTIONS = `You answer questions about a folder of documents.
Use only the numbered passages that come with the question. After each statement name the passage it rests on, as in [1] or [2][3].
When the passages do not answer the question, say so in one sentence and do not guess.
Write short, plain Markdown in the language of the question. Quote code exactly.`;

/** What {@link toPrompt} puts together. */
export interface PromptParts {
  readonly question: Question;
  readonly passages: readonly Passage[];
  /** The beginning of the answer, to go on from; empty for a new one. */
  readonly written: string;
}

/** The messages of a request: instructions, the last turns of the conversation, the passages and the question, and what was answered so far. */
export function toPrompt({ question, passages, written }: PromptParts): ChatCompletionMessageParam[] {
  return [
    { role: 'system', content: INSTRUCTIONS },
    ...question.history.slice(-HISTORY_TURNS).flatMap(({ question: asked, answer }): ChatCompletionMessageParam[] => [
      { role: 'user', content: asked },
      { role: 'assistant', content: answer.slice(0, MAX_ANSWER_LENGTH).toWellFormed() },
    ]),
    { role: 'user', content: `${passages.map(printPassage).join('\n\n')}\n\nQuestion: ${question.text}` },
    ...(written === '' ? [] : [{ role: 'assistant', content: written } as const]),
  ];
}

function printPassage({ file, title, headings, markdown }: Passage, index: number): string {
  return `[${index + 1}] ${[title, ...headings].join(' > ')} (${file})\n${markdown}`;
}
