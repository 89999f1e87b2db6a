import type { Match } from '../corpus/passage-index.ts';
import { toTerms } from '../corpus/terms.ts';
import { type Block, type Sentence, toBlocks } from './blocks.ts';

/** An answer made of quotations. */
export interface Extract {
  /** The passages quoted, in the order of their numbers. */
  readonly matches: readonly Match[];
  /** Markdown with `[n]` after what is quoted from passage `n`; empty when nothing fits. */
  readonly text: string;
}

/** Below this share of the question's terms a passage is about something else. */
const MIN_COVERAGE = 0.4;
/** Further passages must come this close to the best one. */
const MIN_RELATIVE_SCORE = 0.35;
const MAX_PASSAGES = 4;
const LEAD_WORDS = 110;
const FURTHER_WORDS = 45;
const MAX_CODE_LINES = 24;
const MAX_TABLE_LINES = 14;

/** Answers a question with the sentences of the best passages, word for word. The same matches always give the same answer. */
export function compose(question: string, matches: readonly Match[]): Extract {
  const [best] = matches;
  if (!best || best.coverage < MIN_COVERAGE) return { matches: [], text: '' };
  const chosen = matches
    .filter(
      (match) =>
        match === best || (match.score >= best.score * MIN_RELATIVE_SCORE && match.coverage >= MIN_COVERAGE / 2),
    )
    .slice(0, MAX_PASSAGES);
  const terms = new Set(toTerms(question));
  const said = new Set<string>();
  const lead = quoteLead(best, terms, said);
  const quoted = [best];
  const further: string[] = [];
  for (const match of chosen.slice(1)) {
    const quote = quoteBriefly(match, terms, said);
    if (quote === null) continue;
    quoted.push(match);
    further.push(`- **${toLabel(match.passage.headings.at(-1) ?? match.passage.title)}** ${quote} [${quoted.length}]`);
  }
  const parts = further.length > 0 ? [lead, further.join('\n')] : [lead];
  return { matches: quoted, text: parts.join('\n\n') };
}

/** Quotes the best passage at length: whole blocks in their order, prose cut to its best sentences, within a budget of words. */
function quoteLead({ passage }: Match, terms: ReadonlySet<string>, said: Set<string>): string {
  const parts: { readonly kind: Block['kind']; readonly markdown: string }[] = [];
  let budget = LEAD_WORDS;
  let code = false;
  for (const block of toBlocks(passage.markdown)) {
    if (block.kind === 'code' || block.kind === 'table') {
      const lines = block.markdown.split('\n').length;
      if (code || lines > (block.kind === 'code' ? MAX_CODE_LINES : MAX_TABLE_LINES)) continue;
      code = true;
      parts.push(block);
    } else if (budget > 0) {
      const sentences = pick(block.sentences, terms, budget);
      if (sentences.length === 0) continue;
      for (const { markdown } of sentences) said.add(markdown);
      budget -= sentences.reduce((sum, { words }) => sum + words, 0);
      parts.push({ kind: block.kind, markdown: join(block.kind, sentences) });
    }
  }
  return cite(parts);
}

/** The number goes after the last words; where there are none, on a line of its own, since code and tables cannot carry it. */
function cite(parts: readonly { readonly kind: Block['kind']; readonly markdown: string }[]): string {
  const index = parts.findLastIndex(({ kind }) => kind === 'prose' || kind === 'list');
  if (index === -1) return [...parts.map(({ markdown }) => markdown), 'From your documents. [1]'].join('\n\n');
  return parts.map(({ markdown }, at) => (at === index ? `${markdown} [1]` : markdown)).join('\n\n');
}

function quoteBriefly({ passage }: Match, terms: ReadonlySet<string>, said: Set<string>): string | null {
  const sentences = toBlocks(passage.markdown)
    .filter(({ kind }) => kind === 'prose')
    .flatMap((block) => block.sentences)
    // A colon announces a list or an example that is not quoted here.
    .filter(({ markdown }) => !markdown.endsWith(':') && !said.has(markdown));
  const picked = pick(sentences, terms, FURTHER_WORDS);
  for (const { markdown } of picked) said.add(markdown);
  return picked.length === 0 ? null : join('prose', picked);
}

/** The sentences that say most about the terms, in their own order, starting with the first when it fits. */
function pick(sentences: readonly Sentence[], terms: ReadonlySet<string>, budget: number): Sentence[] {
  const ranked = sentences
    .map((sentence, index) => ({ index, sentence, rank: rank(sentence, terms) + (index === 0 ? 1.5 : 0) }))
    .toSorted((a, b) => b.rank - a.rank || a.index - b.index);
  const picked: typeof ranked = [];
  let words = 0;
  for (const candidate of ranked) {
    if (picked.length > 0 && words + candidate.sentence.words > budget) continue;
    picked.push(candidate);
    words += candidate.sentence.words;
  }
  return picked.toSorted((a, b) => a.index - b.index).map(({ sentence }) => sentence);
}

function rank(sentence: Sentence, terms: ReadonlySet<string>): number {
  return sentence.terms.filter((term) => terms.has(term)).length;
}

function join(kind: Block['kind'], sentences: readonly Sentence[]): string {
  return sentences.map(({ markdown }) => markdown).join(kind === 'list' ? '\n' : ' ');
}

function toLabel(heading: string): string {
  const escaped = heading.replaceAll(/[\\*_`[\]<>]/g, String.raw`\$&`);
  return /[.?!:]$/.test(heading) ? escaped : `${escaped}:`;
}
