/** Appends to the streams of one store: in the usual way, with one command, or in the general way, which decides everything. */
import { type EncodedRequest, joinRequests } from '../codec/append.ts';
import type { ResolvedOptions } from '../options.ts';
import { appendScript } from '../scripts/generated/append.ts';
import type { GuardedScripts } from '../scripts/guarded-scripts.ts';
import { appended, usuallyAppended } from './append-answer.ts';
import type { BatchAnswer, BatchOutcome } from './append-batcher.ts';
import { usualAppend, type UsualAppend } from './usual-append.ts';

/** See the head of this file. */
export class StreamAppends {
  readonly #scripts: GuardedScripts;
  readonly #now: (() => number) | undefined;
  readonly #trims: boolean;

  constructor(scripts: GuardedScripts, { now, maxRecords }: ResolvedOptions) {
    this.#scripts = scripts;
    this.#now = now;
    this.#trims = maxRecords !== Infinity;
  }

  append(id: string, requests: readonly EncodedRequest[], outcome: BatchOutcome): void {
    const { connection, watermarks } = this.#scripts;
    const told = connection.barrier ? this.#confirmed(outcome) : outcome;
    const mark = watermarks.get(id);
    const usual = mark && !this.#trims ? usualAppend(requests, mark, this.#now?.()) : null;
    if (usual) this.#inUsualWay(id, requests, usual, told);
    else this.#inGeneralWay(id, requests, told);
  }

  /** One command, and a second where the usual way is not open. */
  #inUsualWay(
    id: string,
    requests: readonly EncodedRequest[],
    { script, args, known }: UsualAppend,
    outcome: BatchOutcome,
  ): void {
    const { connection } = this.#scripts;
    connection.runner.start(
      { script, target: this.#scripts.target(id), args },
      {
        accept: (reply) => {
          let answer: BatchAnswer;
          try {
            if (reply === null) {
              this.#inGeneralWay(id, requests, outcome);
              return;
            }
            answer = usuallyAppended(requests, known, Number(reply));
            if (!connection.barrier) this.#scripts.advance(known, answer.head);
          } catch (error) {
            outcome.failed(error);
            return;
          }
          outcome.answered(answer);
        },
        reject: outcome.failed,
      },
    );
  }

  #inGeneralWay(id: string, requests: readonly EncodedRequest[], outcome: BatchOutcome): void {
    const { connection, watermarks } = this.#scripts;
    const mark = watermarks.get(id);
    const args = this.#scripts.common(mark);
    joinRequests(requests, args);
    connection.runner
      .run({ script: appendScript, target: this.#scripts.target(id), args }, (reply) => {
        const script = this.#scripts.accept(id, reply, mark);
        const answer = appended(id, requests, script);
        if (!connection.barrier) this.#scripts.note(answer.head);
        watermarks.noteCounter(answer.head, script.status === 1);
        return answer;
      })
      .then(outcome.answered, outcome.failed);
  }

  /** Tells of an answer when the replicas have what was written. */
  #confirmed({ answered, failed }: BatchOutcome): BatchOutcome {
    return {
      answered: (answer) => {
        this.#scripts.confirm(answer.head, true).then(() => answered(answer), failed);
      },
      failed,
    };
  }
}
