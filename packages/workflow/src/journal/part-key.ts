/** Ends the key of the step in the key of a part; no step's key may hold it. */
export const PART_SEPARATOR = '\u001f';

/** The key under which a step over items writes for the items `from` to below `to`, so that a checkpoint settles what they wrote. */
export function partKey(step: string, from: number, to: number): string {
  return `${step}${PART_SEPARATOR}${from}-${to}`;
}

/** The step and items of the key of a part; null for a step's own key. */
export function parsePartKey(
  key: string,
): { readonly step: string; readonly from: number; readonly to: number } | null {
  const at = key.lastIndexOf(PART_SEPARATOR);
  if (at === -1) return null;
  const [from = NaN, to = NaN] = key
    .slice(at + 1)
    .split('-')
    .map(Number);
  return { step: key.slice(0, at), from, to };
}
