import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';

import type { Passage } from '../corpus/passage.ts';
import type { Question } from './answerer.ts';

const MAX_TURNS = 4;
const MAX_ANSWER_LENGTH = 2_000;

const INSTRUCTIONS = `You answer questions about a folder of documents.
Use only the numbered passages that come with the question. After each statement name the passage it rests on, as in [1] or [2][3].
When the passages do not answer the question, say so in one sentence and do not guess.
Write short, plain Markdown in the language of the question. Quote code exactly.`;

/** The messages of a request: instructions, the last turns of the conversation, the passages and the question. */
export function toPrompt(question: Question, passages: readonly Passage[]): ChatCompletionMessageParam[] {
  return [
    { role: 'system', content: INSTRUCTIONS },
    ...question.history.slice(-MAX_TURNS).flatMap(({ question: asked, answer }): ChatCompletionMessageParam[] => [
      { role: 'user', content: asked },
      { role: 'assistant', content: answer.slice(0, MAX_ANSWER_LENGTH).toWellFormed() },
    ]),
    { role: 'user', content: `${passages.map(printPassage).join('\n\n')}\n\nQuestion: ${question.text}` },
  ];
}

function printPassage({ file, title, headings, markdown }: Passage, index: number): string {
  return `[${index + 1}] ${[title, ...headings].join(' > ')} (${file})\n${markdown}`;
}
