import { Actor, type ActorContext } from '@perennial/actor';

import { plural } from '../../lib/import-progress.ts';
import { type Source, sourceHeading } from '../../lib/source.ts';
import { printMarkdown } from '../corpus/markdown.ts';
import { readAssignment } from './assignment.ts';
import type { Desk } from './desk.ts';
import { answerSources, fixedText } from './say.ts';

/**
 * Finds the passages that an answer is to rest on, and reports where they are. Its result is `{ question, sources }`, where `[n]` is the
 * source at index `n - 1`.
 */
export class Researcher extends Actor {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    super();
    this.#desk = desk;
  }

  override async *stream(input: unknown, { signal }: ActorContext) {
    const { question, written } = readAssignment(input);
    yield { type: 'progress', progress: { current: 0, total: 1, message: 'Searching the documents' } };
    const findings = await this.#desk.find(question);
    const sources = await answerSources(this.#desk, { question, findings });
    for await (const data of fixedText(this.#desk, { text: report(sources), written }, signal))
      yield { type: 'data', data };
    yield { type: 'complete', data: { question, sources } };
  }
}

function report(sources: readonly Source[]): string {
  if (sources.length === 0) return 'Found no passage that fits the question.';
  const files = new Set(sources.map(({ file }) => file)).size;
  const lines = sources.map((source, index) => `- ${describe(source)} [${index + 1}]`);
  return `Found ${plural(sources.length, 'passage')} in ${plural(files, 'document')}:\n\n${lines.join('\n')}`;
}

function describe(source: Source): string {
  return printMarkdown({
    type: 'paragraph',
    children: [
      { type: 'strong', children: [{ type: 'text', value: sourceHeading(source) }] },
      { type: 'text', value: ', ' },
      { type: 'inlineCode', value: source.file },
      { type: 'text', value: `, line ${source.line}` },
    ],
  });
}
