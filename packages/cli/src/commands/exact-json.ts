/** What the platform has and the type library does not describe yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/**
 * Parses JSON so that `JSON.stringify` writes each number as it was written: `1.0`, `1e400` and integers of any size survive. Such numbers
 * become raw JSON objects, all other values what `JSON.parse` makes of them.
 */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? exact.rawJSON(source) : value,
  );
}
