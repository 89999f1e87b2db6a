import type { StreamError } from '@perennial/core';

import type { RunScope } from '../runs/run-scope.ts';
import { RunStream, type RunStreamOptions } from './run-stream.ts';

/** The namespaces of a run on the worker that advances it. */
export class RunStreams {
  readonly #scope: RunScope;
  readonly #streams = new Map<string, RunStream>();
  #broken: StreamError | null = null;

  constructor(scope: RunScope) {
    this.#scope = scope;
  }

  /** The stream of a namespace. The options of its first use stand, also those of an earlier worker. */
  get(namespace: string, options: RunStreamOptions = {}): RunStream {
    const known = this.#streams.get(namespace);
    if (known) return known;
    const note = this.#scope.state.opened.get(namespace);
    const { contentType: wanted, ...rest } = options;
    const contentType = note ? note.contentType : wanted;
    const stream = new RunStream(this.#scope, namespace, {
      ...rest,
      ...(note && { onRetry: note.onRetry ?? 'supersede' }),
      ...(contentType !== undefined && { contentType }),
    });
    if (this.#broken) stream.break(this.#broken);
    this.#streams.set(namespace, stream);
    return stream;
  }

  /** Streams that some worker opened. */
  opened(): RunStream[] {
    return [...this.#scope.state.opened.keys()].map((namespace) => this.get(namespace));
  }

  /** Streams that this worker has used. */
  used(): Iterable<RunStream> {
    return this.#streams.values();
  }

  /** Sequences the body has issued, by namespace. */
  issued(): Record<string, number> {
    return Object.fromEntries(
      [...this.#streams]
        .filter(([, stream]) => stream.issued > 0)
        .map(([namespace, { issued }]) => [namespace, issued]),
    );
  }

  /** Stops all writing: this worker has lost the run. */
  break(error: StreamError): void {
    this.#broken = error;
    for (const stream of this.#streams.values()) stream.break(error);
  }
}
