import type { Answer } from './answer.ts';
import { type Source, sourceHeading } from './source.ts';

/** Numbers of the sources that an answer's text names. */
export function citedNumbers({ sources, text }: Answer): number[] {
  return sources.map((_, index) => index + 1).filter((n) => text.includes(`[${n}]`));
}

/** An answer as plain Markdown with its sources, for the clipboard. */
export function toClipboardText(answer: Answer): string {
  const lines = citedNumbers(answer).flatMap((n) => {
    const source = answer.sources[n - 1];
    return source ? [`[${n}] ${describe(source)}`] : [];
  });
  return lines.length === 0 ? answer.text : `${answer.text.trimEnd()}\n\nSources:\n${lines.join('\n')}`;
}

function describe(source: Source): string {
  const heading = sourceHeading(source);
  const name = heading === source.title ? source.title : `${source.title}: ${heading}`;
  return `${name} (${source.file}, line ${source.line})`;
}
