import { runStreamId } from '@perennial/core';

import { WorkflowError } from '../errors.ts';

interface Opened {
  readonly runId: string;
  isOver: boolean;
}

/** Which runs without an id opened which namespaces: a later run without an id reads from the latest one. */
export class UnnamedStreams {
  readonly #opened = new Map<string, Opened[]>();
  #waits: (() => void)[] = [];

  /** A run without an id has opened a namespace. */
  open(runId: string, namespace: string): void {
    // Of runs that are over, only the latest can still be read from.
    const others = (this.#opened.get(namespace) ?? []).filter(({ isOver }) => !isOver);
    this.#opened.set(namespace, [...others, { runId, isOver: false }]);
    for (const wake of this.#waits.splice(0)) wake();
  }

  /** A run without an id is over. */
  end(runId: string): void {
    for (const [namespace, runs] of this.#opened) {
      const mine = runs.find((run) => run.runId === runId);
      if (!mine) continue;
      mine.isOver = true;
      const latest = runs.findLast(({ isOver }) => isOver);
      this.#opened.set(
        namespace,
        runs.filter((run) => !run.isOver || run === latest),
      );
    }
  }

  /**
   * The stream that `reader` reads from; waits until a run opens the namespace.
   *
   * @throws {@link WorkflowError} `AMBIGUOUS_STREAM` when several runs have it open.
   */
  async find(reader: string, namespace: string): Promise<string> {
    for (;;) {
      const runs = (this.#opened.get(namespace) ?? []).filter(({ runId }) => runId !== reader);
      const open = runs.filter(({ isOver }) => !isOver);
      if (open.length > 1) {
        const ids = open.map(({ runId }) => runId).join(', ');
        const message = `${open.length} runs have ${JSON.stringify(namespace)} open (${ids}). Say which: \`getReadable({ runId })\`.`;
        throw new WorkflowError('AMBIGUOUS_STREAM', message);
      }
      const run = open[0] ?? runs.at(-1);
      if (run) return runStreamId(run.runId, namespace);
      await new Promise<void>((resolve) => this.#waits.push(resolve));
    }
  }
}
