import { Actor, type ActorContext } from '@perennial/actor';

import { readAssignment } from './assignment.ts';
import type { Desk } from './desk.ts';
import { answerText } from './say.ts';

/** Writes the answer from the passages: as extracts offline, else through the model, which is told the analyst's points. */
export class Writer extends Actor {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    super();
    this.#desk = desk;
  }

  override async *stream(input: unknown, { signal }: ActorContext) {
    const { question, points, written } = readAssignment(input);
    yield { type: 'progress', progress: { current: 0, total: 1, message: 'Writing the answer' } };
    const findings = await this.#desk.find(question);
    const told =
      points === '' || this.#desk.answerer.info.kind === 'offline' ? question.text : tell(question.text, points);
    let text = written;
    for await (const data of answerText(
      this.#desk,
      { question: { ...question, text: told }, findings, written },
      signal,
    )) {
      text += data;
      yield { type: 'data', data };
    }
    yield { type: 'complete', data: text };
  }
}

function tell(question: string, points: string): string {
  return `${question}\n\nKey points that a colleague found in the passages; check them against the passages:\n${points}`;
}
