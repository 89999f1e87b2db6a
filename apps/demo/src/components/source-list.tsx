import { type Source, sourceHeading } from '../lib/source.ts';

/** Props of {@link SourceList}. */
export interface SourceListProps {
  /** What was asked: tells the lists of several answers apart. */
  readonly question: string;
  readonly sources: readonly Source[];
  /** Numbers of the sources to list, counted from 1. */
  readonly numbers: readonly number[];
  readonly onOpen: (n: number) => void;
}

/** The passages that an answer rests on. */
export function SourceList({ question, sources, numbers, onOpen }: SourceListProps) {
  return (
    <section aria-label={`Sources: ${question}`} className="mt-5">
      <h2 className="mb-2 text-xs font-semibold tracking-wide text-muted-foreground">Sources</h2>
      <ol className="grid gap-2 sm:grid-cols-2">
        {numbers.map((n) => {
          const source = sources[n - 1];
          if (!source) return null;
          return (
            <li key={n}>
              <button
                type="button"
                onClick={() => onOpen(n)}
                className="group flex h-full w-full gap-3 rounded-2xl border bg-card p-3 text-left transition-colors hover:border-input hover:bg-accent/60"
              >
                <span className="mt-px inline-flex h-5 min-w-5 shrink-0 items-center justify-center rounded-md bg-primary-soft px-1 text-[0.6875rem] font-semibold text-primary">
                  {n}
                </span>
                <span className="min-w-0">
                  <span className="line-clamp-1 text-sm leading-snug font-medium">{sourceHeading(source)}</span>
                  <span className="mt-0.5 line-clamp-1 text-xs text-muted-foreground">{source.file}</span>
                  <span className="mt-1.5 line-clamp-2 text-xs leading-relaxed text-muted-foreground">
                    {source.snippet}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
