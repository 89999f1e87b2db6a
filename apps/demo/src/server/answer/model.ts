import { PublicError } from '@perennial/core';
import OpenAI from 'openai';
import { z } from 'zod';

import type { AnswerEvent } from '../../lib/answer.ts';
import type { Corpus } from '../corpus/corpus.ts';
import { type Answerer, assertSameAnswerer } from './answerer.ts';
import { type ModelAddress, toModelError } from './model-error.ts';
import { toPrompt } from './prompt.ts';
import { toSource } from './to-source.ts';

/** Options of {@link createModelAnswerer}. */
export interface ModelOptions {
  readonly corpus: Corpus;
  /** Endpoint with its version path, such as `http://localhost:11434/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  /** How often a request that failed before its answer began is repeated. @default 2 */
  readonly maxRetries?: number;
  /**
   * True: the endpoint goes on from the text of a trailing message of the assistant, so a crash costs no token. False: an answer that a
   * crash cut short is taken back and made anew, since two halves of different samples would not be one answer.
   * @default false
   */
  readonly prefill?: boolean;
  /** How long the endpoint may be silent, before its answer and in the middle of it. @default 60_000 */
  readonly silenceMs?: number;
}

const PASSAGES = 6;
const DEFAULT_SILENCE_MS = 60_000;

/** The part of a chunk that is used. A chunk without choices carries usage figures. */
const chunkSchema = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish() }).nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
});

/** Answers through any endpoint that speaks OpenAI's chat completions, from passages found in the documents. */
export function createModelAnswerer(options: ModelOptions): Answerer {
  const { corpus, baseUrl, apiKey, model, maxRetries = 2, prefill = false, silenceMs = DEFAULT_SILENCE_MS } = options;
  const client = new OpenAI({ baseURL: baseUrl, apiKey, maxRetries, timeout: silenceMs, logLevel: 'off' });
  const info = { kind: 'model', name: model } as const;
  const address: ModelAddress = { model, host: new URL(baseUrl).host };
  return {
    info,
    continues: prefill,
    async find({ text, history }) {
      const previous = history.at(-1)?.question ?? '';
      const matches = await corpus.search(`${text} ${previous}`, PASSAGES);
      return { matches, hasDocuments: matches.length > 0 };
    },
    async *answer({ question, findings, written }, signal): AsyncGenerator<AnswerEvent> {
      assertSameAnswerer(written, info);
      if (written.text !== '' && !prefill) throw cannotContinue(address);
      const passages = findings.matches.map(({ passage }) => passage);
      if (written.answerer === null) yield { type: 'sources', answerer: info, sources: passages.map(toSource) };
      try {
        const silence = new Silence(silenceMs, address.host);
        const request = AbortSignal.any([signal, silence.signal]);
        const messages = toPrompt({ question, passages, written: written.text });
        const chunks = await client.chat.completions.create({ model, messages, stream: true }, { signal: request });
        yield* deltas(silence.watch(chunks), address.host, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw toModelError(error, address);
      }
    },
  };
}

/** Of an answer that was begun while `prefill` was set. */
function cannotContinue({ host }: ModelAddress): PublicError {
  return new PublicError(
    'CANNOT_CONTINUE',
    `The server stopped in the middle of this answer, and ${host} is no longer set to go on with one (OPENAI_PREFILL).`,
  );
}

/** The text of an answer. Only a stated, ordinary finish counts as one: a response that just stops was cut. */
async function* deltas(chunks: AsyncIterable<unknown>, host: string, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
  let finish: string | null = null;
  let chunkCount = 0;
  for await (const chunk of chunks) {
    chunkCount++;
    const parsed = chunkSchema.safeParse(chunk);
    if (!parsed.success)
      throw new PublicError('MODEL_BAD_RESPONSE', `${host} sent something that is not a valid answer.`, {
        cause: parsed.error,
      });
    const [choice] = parsed.data.choices;
    const delta = choice?.delta?.content;
    if (delta) yield { type: 'text', delta };
    finish = choice?.finish_reason ?? finish;
  }
  if (signal.aborted || finish === 'stop') return;
  if (chunkCount === 0)
    throw new PublicError('MODEL_BAD_RESPONSE', `${host} sent no answer at all. Check OPENAI_BASE_URL.`);
  switch (finish) {
    case null:
      throw new PublicError('MODEL_CUT', `The connection to ${host} broke in the middle of the answer. Try again.`);
    case 'length':
      throw new PublicError('MODEL_LENGTH', 'The model reached its length limit before the answer was finished.');
    case 'content_filter':
      throw new PublicError('MODEL_FILTERED', `${host} withheld the rest of this answer.`);
    default:
      throw new PublicError(
        'MODEL_BAD_RESPONSE',
        `${host} ended the answer in a way that is not an answer (${finish.slice(0, 40)}).`,
      );
  }
}

/** Aborts a response that has said nothing for some time; the SDK's own timeout ends with the first byte. */
class Silence {
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #host: string;

  constructor(ms: number, host: string) {
    this.#ms = ms;
    this.#host = host;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async *watch(chunks: AsyncIterable<unknown>): AsyncGenerator {
    let timeout = this.#start();
    try {
      for await (const chunk of chunks) {
        clearTimeout(timeout);
        yield chunk;
        timeout = this.#start();
      }
    } finally {
      clearTimeout(timeout);
    }
    this.signal.throwIfAborted();
  }

  #start(): ReturnType<typeof setTimeout> {
    const error = new PublicError(
      'MODEL_TIMEOUT',
      `The model at ${this.#host} fell silent in the middle of the answer. Try again.`,
    );
    return setTimeout(() => this.#controller.abort(error), this.#ms);
  }
}
