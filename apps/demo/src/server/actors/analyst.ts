import { Actor, type ActorContext } from '@perennial/actor';

import type { AnswerTask } from '../answer/answerer.ts';
import { readAssignment } from './assignment.ts';
import { countPoints } from './count-points.ts';
import type { Desk } from './desk.ts';
import { answerText, answerSources, fixedText } from './say.ts';

/**
 * Works out the key points of the passages: by counting offline, by asking the model where there is one. Its result is
 * `{ question, points }`, in Markdown with the number of a passage at each point.
 */
export class Analyst extends Actor {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    super();
    this.#desk = desk;
  }

  override async *stream(input: unknown, { signal }: ActorContext) {
    const { question, written } = readAssignment(input);
    yield { type: 'progress', progress: { current: 0, total: 1, message: 'Reading the passages' } };
    const findings = await this.#desk.find(question);
    let points = written;
    for await (const data of this.#analyse({ question, findings }, { written, signal })) {
      points += data;
      yield { type: 'data', data };
    }
    yield { type: 'complete', data: { question, points } };
  }

  async *#analyse(
    { question, findings }: Omit<AnswerTask, 'written'>,
    { written, signal }: { readonly written: string; readonly signal: AbortSignal },
  ): AsyncGenerator<string> {
    if (this.#desk.answerer.info.kind === 'model') {
      yield* answerText(
        this.#desk,
        { question: { ...question, text: instruct(question.text) }, findings, written },
        signal,
      );
      return;
    }
    const text = countPoints(question.text, await answerSources(this.#desk, { question, findings }));
    yield* fixedText(this.#desk, { text, written }, signal);
  }
}

function instruct(question: string): string {
  return (
    'Do not answer yet. List the key points that the passages have for the question below, as a short Markdown list, ' +
    `each with the number of its passage, and begin with how many of the passages say something about it.\n\n${question}`
  );
}
