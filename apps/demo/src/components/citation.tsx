import { useContext } from 'react';

import { sourceHeading } from '../lib/source.ts';
import { CitationContext } from './citation-context.ts';

/** The `[n]` in an answer: opens the passage. A number without a source stays text. */
export function Citation({ n }: { readonly n: number }) {
  const citations = useContext(CitationContext);
  const source = citations?.sources[n - 1];
  if (!citations || !source) return <>[{n}]</>;
  return (
    <button
      type="button"
      onClick={() => citations.open(n)}
      aria-label={`Source ${n}: ${sourceHeading(source)}`}
      title={sourceHeading(source)}
      className="relative mx-0.5 inline-flex h-5 min-w-5 items-center justify-center rounded-md bg-primary-soft px-1 align-[0.1em] text-[0.6875rem] leading-none font-semibold text-primary transition-colors before:absolute before:-inset-3 hover:bg-primary hover:text-primary-foreground"
    >
      {n}
    </button>
  );
}
