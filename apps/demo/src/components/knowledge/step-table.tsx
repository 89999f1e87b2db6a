import { countText, rateText, type RunProgressShown } from '../../lib/import-progress.ts';
import type { ImportPhase } from '../../lib/knowledge.ts';

/** Props of {@link StepTable}. */
export interface StepTableProps {
  readonly phase: ImportPhase;
  readonly progress: RunProgressShown | null;
}

interface Row {
  readonly key: string;
  readonly received: number | null;
  readonly emitted: number | null;
  readonly errors: number;
  readonly perSecond: number;
}

/** The steps in their order, with what each turns into what. */
const STEPS: readonly { readonly key: string; readonly name: string; readonly makes: string }[] = [
  { key: 'discover', name: 'Discover', makes: 'files' },
  { key: 'read', name: 'Read', makes: 'texts' },
  { key: 'clean', name: 'Clean', makes: 'documents' },
  { key: 'split', name: 'Split', makes: 'passages' },
  { key: 'batch', name: 'Batch', makes: 'batches' },
  { key: 'tokenise', name: 'Tokenise', makes: 'batches' },
  { key: 'store', name: 'Store', makes: 'batches' },
];

const CELL = 'py-1.5 pl-3 text-right tabular-nums';

/** What each step of an import has done so far. */
export function StepTable({ phase, progress }: StepTableProps) {
  return (
    <table className="mt-3 w-full text-xs">
      <caption className="sr-only">Steps of the import</caption>
      <thead>
        <tr className="border-b text-muted-foreground">
          <th scope="col" className="py-1.5 text-left font-medium">
            Step
          </th>
          <th scope="col" className={`${CELL} hidden font-medium sm:table-cell`}>
            In
          </th>
          <th scope="col" className={`${CELL} font-medium`}>
            Out
          </th>
          <th scope="col" className={`${CELL} font-medium`}>
            Rate
          </th>
          <th scope="col" className={`${CELL} font-medium`}>
            Errors
          </th>
        </tr>
      </thead>
      <tbody>
        {STEPS.map(({ key, name, makes }) => {
          const { received, emitted, errors, perSecond } = rowOf(key, phase, progress);
          return (
            <tr key={key} data-step={key} className="border-b last:border-b-0">
              <th scope="row" className="py-1.5 text-left font-normal">
                {name}
              </th>
              <td className={`${CELL} hidden text-muted-foreground sm:table-cell`}>{text(received)}</td>
              <td className={CELL}>
                {text(emitted)} {emitted !== null && <span className="text-muted-foreground">{makes}</span>}
              </td>
              <td className={`${CELL} text-muted-foreground`}>{rateText(perSecond)}</td>
              <td className={`${CELL} ${errors > 0 ? 'font-medium text-warning' : 'text-muted-foreground'}`}>
                {text(errors)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function rowOf(key: string, phase: ImportPhase, progress: RunProgressShown | null): Row {
  const step = progress?.steps.find((candidate) => candidate.key === key);
  if (step) {
    const { receivedCount, emittedCount, errorCount, perSecond } = step;
    return {
      key,
      received: key === 'discover' ? null : receivedCount,
      emitted: emittedCount,
      errors: errorCount,
      perSecond,
    };
  }
  // The second run begins with all files found.
  const found = key === 'discover' && phase === 'index' ? (progress?.total ?? null) : null;
  return { key, received: null, emitted: found, errors: 0, perSecond: 0 };
}

function text(count: number | null): string {
  return count === null ? '–' : countText(count);
}
