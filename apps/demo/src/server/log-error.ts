/** Tells the operator what a reader must not see. */
export function logError(doing: string, error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${doing}: ${detail}\n`);
}
