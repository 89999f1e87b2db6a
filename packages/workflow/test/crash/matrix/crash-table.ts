import { BOUNDARIES } from './boundaries.ts';
import { type MatrixResult, STORES } from './crash-matrix.ts';

/** The table: how many workers were lost at each boundary, and how many cases went wrong. */
export function formatTable(results: readonly MatrixResult[]): string {
  const stores = STORES.filter((store) => results.some((result) => result.store === store));
  const rows = BOUNDARIES.map((boundary) => [
    boundary,
    ...stores.map((store) => {
      const lost = results.filter((result) => result.store === store).flatMap(({ boundaries }) => boundaries);
      return String(lost.filter((one) => one === boundary).length);
    }),
  ]);
  const total = (select: (result: MatrixResult) => number) =>
    stores.map((store) =>
      String(results.filter((result) => result.store === store).reduce((sum, result) => sum + select(result), 0)),
    );
  rows.push(
    ['**runs**', ...total(() => 1)],
    ['**runs that differ from the uninterrupted one**', ...total(({ wrong }) => (wrong.length > 0 ? 1 : 0))],
  );
  const table = [['workers lost at', ...stores], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(table[0] ?? []), rule, ...rows.map(line)].join('\n');
}
