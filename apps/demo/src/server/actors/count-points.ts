import { plural } from '../../lib/import-progress.ts';
import type { Source } from '../../lib/source.ts';
import { type Sentence, toBlocks } from '../answer/blocks.ts';
import { toTerms } from '../corpus/terms.ts';

interface Reading {
  readonly sentences: readonly Sentence[];
  /** The question's terms that the passage or its headings name. */
  readonly named: number;
  /** How many of its sentences name one. */
  readonly fitting: number;
  /** Markdown of the sentence that names most of them; the first of several that are equal. */
  readonly best: string | null;
}

/** The sentence of each source that names most of what is asked for, with counts. The same sources always give the same text. */
export function countPoints(question: string, sources: readonly Source[]): string {
  if (sources.length === 0) return 'There is nothing to count: no passage fits the question.';
  const terms = toTerms(question);
  const readings = sources.map((source) => read(source, terms));
  const points = readings.flatMap(({ best, named }, index) =>
    best === null || named === 0 ? [] : [`- ${best} [${index + 1}] (${named} of ${plural(terms.length, 'term')})`],
  );
  const sentences = sum(readings.map((reading) => reading.sentences.length));
  const fitting = sum(readings.map((reading) => reading.fitting));
  const head = `${fitting} of ${plural(sentences, 'sentence')} in ${plural(sources.length, 'passage')} name what is asked for.`;
  return points.length === 0 ? head : `${head} The closest in each passage:\n\n${points.join('\n')}`;
}

function read({ markdown, title, headings }: Source, terms: readonly string[]): Reading {
  const sentences = toBlocks(markdown)
    .filter(({ kind }) => kind === 'prose')
    .flatMap((block) => block.sentences);
  const hits = (sentence: Sentence): number => terms.filter((term) => sentence.terms.includes(term)).length;
  const [best] = sentences.toSorted((a, b) => hits(b) - hits(a));
  const all = new Set([...toTerms([title, ...headings].join(' ')), ...sentences.flatMap((sentence) => sentence.terms)]);
  return {
    sentences,
    named: terms.filter((term) => all.has(term)).length,
    fitting: sentences.filter((sentence) => hits(sentence) > 0).length,
    best: best?.markdown ?? null,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
