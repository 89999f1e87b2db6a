/**
 * A model behind any OpenAI-compatible endpoint, through the `openai` package: an optional peer, loaded with the first call.
 *
 * A call is repeated only while nothing of its answer was handed out: after the first token, a repetition would say something else.
 */
import type { OpenAI } from 'openai';

import { ActorError, assertWhole, invalid, quote } from '../errors.ts';
import { AIError } from './ai-error.ts';
import type { AI, AIFinish, AIOptions, AIUsage, ChatMessage, Prompt } from './ai.ts';
import { createCall } from './call.ts';

/** Options of {@link AIService}. */
export interface AIServiceOptions {
  /** Model of calls that name none. */
  readonly model: string;
  /** Root of the endpoint, such as `http://localhost:11434/v1`. @default OpenAI */
  readonly baseUrl?: string;
  /** @default `OPENAI_API_KEY`, and none when there is a `baseUrl`: a key is never sent to another endpoint than its own. */
  readonly apiKey?: string;
  /** Headers of every call. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often a call that failed before its first token is repeated. @default 2 */
  readonly maxRetries?: number;
  /** Time until the first token, or until the whole answer of `complete`, in ms. @default 60_000 */
  readonly timeoutMs?: number;
  /** Longest silence between two tokens, in ms. @default 30_000 */
  readonly idleTimeoutMs?: number;
  /** @default the global fetch */
  readonly fetch?: typeof globalThis.fetch;
  /** Waits before a repetition. @default a timer */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

type Chunks = AsyncIterable<OpenAI.ChatCompletionChunk>;

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_RETRIES = 2;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 20_000;
/** The SDK insists on a key. */
const NO_KEY = 'none';

/**
 * Asks a model.
 *
 * @example
 * const ai = new AIService({ baseUrl: 'http://localhost:11434/v1', model: 'llama3.2' });
 * for await (const token of ai.streamCompletion('Write a story')) process.stdout.write(token);
 */
export class AIService implements AI {
  readonly #options: AIServiceOptions;
  #client: Promise<OpenAI> | null = null;

  /** @throws `INVALID_ARGUMENT` naming the option that makes no sense. Nothing is opened or loaded. */
  constructor(options: AIServiceOptions) {
    if (typeof options?.model !== 'string' || options.model === '')
      throw invalid(`\`model\` must name a model; got ${quote(options?.model)}.`);
    if (options.baseUrl !== undefined && !URL.canParse(options.baseUrl))
      throw invalid(`\`baseUrl\` must be a URL; got ${quote(options.baseUrl)}.`);
    assertWhole('maxRetries', options.maxRetries, 0);
    assertWhole('timeoutMs', options.timeoutMs);
    assertWhole('idleTimeoutMs', options.idleTimeoutMs);
    this.#options = options;
  }

  /** The whole answer. @throws {@link AIError} */
  async complete(prompt: Prompt, options: AIOptions = {}): Promise<string> {
    const request = { ...this.#request(prompt, options), stream: false } as const;
    for (let retries = 0; ; retries++) {
      const call = createCall(options.signal);
      try {
        call.allow(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
        const answer = await (await this.#open()).chat.completions.create(request, { signal: call.signal });
        const choice = answer.choices?.[0];
        if (typeof choice?.message?.content !== 'string')
          throw new AIError('AI_MALFORMED', `The endpoint's answer has no text: ${quote(answer)}.`);
        options.onFinish?.({ reason: choice.finish_reason, model: answer.model, usage: usageOf(answer.usage) });
        return choice.message.content;
      } catch (thrown) {
        await this.#beforeRetry(retries, call.explain(thrown), options.signal);
      } finally {
        call.end();
      }
    }
  }

  /** The answer piece by piece. @throws {@link AIError}, also when the answer breaks off: the end of the loop is the end of the answer. */
  async *streamCompletion(prompt: Prompt, options: AIOptions = {}): AsyncGenerator<string, void, unknown> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS } = this.#options;
    for (let retries = 0, handedOut = false; ; retries++) {
      const call = createCall(options.signal);
      const answer = new StreamedAnswer();
      try {
        call.allow(timeoutMs);
        for await (const chunk of await this.#chunks(prompt, options, call.signal)) {
          const piece = answer.note(chunk);
          if (piece === '') continue;
          handedOut = true;
          // The consumer may take its time; only the endpoint is under a limit.
          call.pause();
          yield piece;
          call.allow(idleTimeoutMs);
        }
        const finish = answer.finish();
        options.onFinish?.(finish);
        return;
      } catch (thrown) {
        const error = call.explain(thrown);
        if (handedOut) throw error;
        await this.#beforeRetry(retries, error, options.signal);
      } finally {
        call.end();
      }
    }
  }

  /** {@link AIService.streamCompletion} by its short name: `for await (const token of agent.stream('Write a story'))`. */
  stream(prompt: Prompt, options?: AIOptions): AsyncGenerator<string, void, unknown> {
    return this.streamCompletion(prompt, options);
  }

  async #chunks(prompt: Prompt, options: AIOptions, signal: AbortSignal): Promise<Chunks> {
    const request = {
      ...this.#request(prompt, options),
      stream: true,
      stream_options: { include_usage: true },
    } as const;
    return (await this.#open()).chat.completions.create(request, { signal });
  }

  #request(prompt: Prompt, { model = this.#options.model, system, temperature, maxTokens }: AIOptions) {
    return {
      model,
      messages: messagesOf(prompt, system),
      ...(temperature !== undefined && { temperature }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    };
  }

  /** Returns when the call may be made again; throws `error` when not. */
  async #beforeRetry(retries: number, error: AIError, signal?: AbortSignal): Promise<void> {
    const { maxRetries = DEFAULT_MAX_RETRIES, sleep = pause } = this.#options;
    if (!error.retryable || retries >= maxRetries) throw error;
    const backoffMs = FIRST_DELAY_MS * 2 ** retries;
    await sleep(Math.min(Math.max(backoffMs, error.retryAfterMs), MAX_DELAY_MS), signal);
  }

  #open(): Promise<OpenAI> {
    this.#client ??= this.#create();
    return this.#client;
  }

  async #create(): Promise<OpenAI> {
    const { OpenAI } = await import('openai').catch((cause: unknown) => {
      this.#client = null;
      throw new ActorError('NOT_CONFIGURED', 'The package `openai` cannot be loaded: install it.', { cause });
    });
    const { baseUrl, apiKey, headers, fetch } = this.#options;
    return new OpenAI({
      // The SDK would take base URL, key and organisation from the environment, and send OpenAI's to any endpoint.
      ...(baseUrl !== undefined && { baseURL: baseUrl, apiKey: apiKey ?? NO_KEY, organization: null, project: null }),
      ...(apiKey !== undefined && { apiKey }),
      ...(headers && { defaultHeaders: headers }),
      ...(fetch && { fetch }),
      maxRetries: 0,
      logLevel: 'off',
    });
  }
}

/** What a streamed answer has said about itself so far. */
class StreamedAnswer {
  #reason: string | null = null;
  #model = '';
  #usage: AIUsage | null = null;

  /** Takes note of a chunk and returns the text it carries. */
  note(chunk: OpenAI.ChatCompletionChunk): string {
    if (typeof chunk !== 'object' || chunk === null)
      throw new AIError('AI_MALFORMED', `The endpoint sent a chunk that is no object: ${quote(chunk)}.`);
    if (chunk.model) this.#model = chunk.model;
    // Usage comes in a last chunk without choices.
    if (chunk.usage) this.#usage = usageOf(chunk.usage);
    const choice = chunk.choices?.[0];
    if (choice?.finish_reason) this.#reason = choice.finish_reason;
    const piece: unknown = choice?.delta?.content;
    return typeof piece === 'string' ? piece : '';
  }

  /** @throws `AI_INCOMPLETE` when the connection closed before the endpoint said why the answer ends. */
  finish(): AIFinish {
    if (this.#reason === null)
      throw new AIError(
        'AI_INCOMPLETE',
        'The answer broke off: the connection closed before the endpoint finished it.',
        {
          retryable: true,
        },
      );
    return { reason: this.#reason, model: this.#model, usage: this.#usage };
  }
}

function messagesOf(prompt: Prompt, system: string | undefined): ChatMessage[] {
  if (typeof prompt !== 'string' && !Array.isArray(prompt))
    throw invalid(`\`prompt\` must be a string or messages; got ${quote(prompt)}.`);
  const messages: readonly ChatMessage[] = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  return system === undefined ? [...messages] : [{ role: 'system', content: system }, ...messages];
}

function usageOf(usage: OpenAI.CompletionUsage | null | undefined): AIUsage | null {
  if (!usage) return null;
  return { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens };
}

/** Rejects with `ABORTED` when the signal fires. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new AIError('ABORTED', 'The call was aborted.', { cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
