import type { StreamStore } from '@perennial/core';
import { createWorkflow, type DurableWorkflow, isWorkflowError, type WorkflowEvent } from '@perennial/workflow';

import { type AnswerEvent, EMPTY_ANSWER, foldAnswer } from '../../lib/answer.ts';
import { ANSWER_NAMESPACE } from '../../lib/ids.ts';
import { type ChatNote, note } from '../chats/note.ts';
import { logError } from '../log-error.ts';
import { orThrow } from '../or-throw.ts';
import type { Answerer, Findings, Question } from './answerer.ts';
import { createTeamAnswerer } from './team.ts';

/** What an answer is begun with; a run that is taken up again gets the same. */
export interface AnswerInput {
  readonly question: Question;
  /** What the conversation is to show of the request. */
  readonly note: ChatNote;
  /** True: a team of actors answers. */
  readonly team?: true;
}

/** The answers that are being written, here or by another server. */
export interface Answers extends Pick<DurableWorkflow<AnswerInput, void, never>, 'start' | 'handle' | 'recover'> {
  /** Stops writing. What is open is left to another server, or to the next start of this one. */
  close(): Promise<void>;
}

/** Options of {@link createAnswers}. */
export interface AnswersOptions {
  readonly store: StreamStore;
  readonly answerer: Answerer;
  /** Of what a team reports without a model. @default 0, no pause */
  readonly wordsPerSecond?: number;
  /** How soon another server takes over from one that is lost, in ms. */
  readonly leaseMs: number;
  /** Asked when nothing was found to answer from: rejects with what a reader may know of the reason. */
  readonly checkDocuments: () => Promise<void>;
}

/**
 * Makes answers as runs of a workflow: a crash at any moment leaves a run that the next server goes on with, and readers of its stream
 * notice a pause and nothing else.
 */
export function createAnswers(options: AnswersOptions): Answers {
  const { store, answerer: single, leaseMs, checkDocuments, wordsPerSecond = 0 } = options;
  const team = createTeamAnswerer({ answerer: single, wordsPerSecond });
  const workflow = createWorkflow('answer', { store, single, team }, { streamStore: store, leaseMs, onEvent: report });
  const runs = workflow.define<AnswerInput, void>(async ({ step, deps, input }) => {
    const answerer = input.team ? deps.team : deps.single;
    const onRetry = answerer.continues ? 'continue' : 'supersede';
    const answer = step.getWritable<AnswerEvent>({ namespace: ANSWER_NAMESPACE, onRetry });

    orThrow(await answer.write({ type: 'begun' }));
    orThrow(await answer.flush());
    // In the run, so that no crash leaves an answer without its question; after the flush, so that who sees the question can read the answer.
    await step('note', () => note(deps.store, input.note));

    const findings = await step('retrieve', async (): Promise<Findings> => {
      const findings = await answerer.find(input.question);
      if (!findings.hasDocuments) await checkDocuments();
      return findings;
    });

    await step('generate', async ({ signal, writable, emitted }) => {
      const writer = writable<AnswerEvent>({ namespace: ANSWER_NAMESPACE });
      const events = await emitted<AnswerEvent>({ namespace: ANSWER_NAMESPACE });
      const task = { question: input.question, findings, written: events.reduce(foldAnswer, EMPTY_ANSWER) };
      for await (const event of answerer.answer(task, signal)) orThrow(await writer.write(event));
    });
  });
  return {
    start: (options) => runs.start(options),
    handle: (runId) => runs.handle(runId),
    recover: (options) => runs.recover(options),
    close: () => workflow.close(),
  };
}

/** Tells the operator what readers are not told. */
function report(event: WorkflowEvent): void {
  switch (event.type) {
    case 'run_ended': {
      const { error } = event.end;
      if (error && !error.public) logError(`The answer ${event.runId} failed`, error.stack ?? error.message);
      return;
    }
    case 'run_lost':
      // On purpose, when this server stops.
      if (!isWorkflowError(event.error.cause, 'CLOSED'))
        logError(`The answer ${event.runId} is left to another server`, event.error);
      return;
    default:
  }
}
