/** One message of a conversation with a model. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What a model is asked: one user message, or a conversation. */
export type Prompt = string | readonly ChatMessage[];

/** Tokens that a call used, as the endpoint counts them. */
export interface AIUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** How a call ended. */
export interface AIFinish {
  /** `stop`, `length` (cut off by a token limit), `content_filter` or what else the endpoint says. */
  readonly reason: string;
  /** The model that answered, as the endpoint names it. */
  readonly model: string;
  /** Null when the endpoint does not count. */
  readonly usage: AIUsage | null;
}

/** Options of one call. */
export interface AIOptions {
  /** @default the service's */
  readonly model?: string;
  /** Put before a prompt that is a string. @default none */
  readonly system?: string;
  /** @default the endpoint's */
  readonly temperature?: number;
  /** Upper bound of the answer. @default the endpoint's */
  readonly maxTokens?: number;
  /** Stops the call with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Is called once, when the answer is whole. */
  readonly onFinish?: (finish: AIFinish) => void;
}

/** A language model, as actors see it. `AIService` is one; a fake for tests is two functions. */
export interface AI {
  /** The whole answer. */
  complete(prompt: Prompt, options?: AIOptions): Promise<string>;
  /** The answer piece by piece. An answer that was cut off throws instead of ending. */
  streamCompletion(prompt: Prompt, options?: AIOptions): AsyncGenerator<string, void, unknown>;
}
