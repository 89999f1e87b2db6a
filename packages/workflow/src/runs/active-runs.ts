/**
 * The journals whose runs this process advances, shared by all copies of this package in it: frameworks load a module several times. On a
 * store that only one process may write, a run that is open and not among these has lost its worker, and nobody need wait for its lease.
 */
const KEY: unique symbol = Symbol.for('perennial.workflow.active-runs');

interface Shared {
  [KEY]?: Map<string, number>;
}

function registry(): Map<string, number> {
  return ((globalThis as Shared)[KEY] ??= new Map());
}

/** Marks a journal as held by this process until the returned function is called. */
export function markActive(journalId: string): () => void {
  const active = registry();
  active.set(journalId, (active.get(journalId) ?? 0) + 1);
  let isMarked = true;
  return () => {
    if (!isMarked) return;
    isMarked = false;
    const left = (active.get(journalId) ?? 1) - 1;
    if (left > 0) active.set(journalId, left);
    else active.delete(journalId);
  };
}

/** True while this process holds the journal. */
export function isActive(journalId: string): boolean {
  return registry().has(journalId);
}
