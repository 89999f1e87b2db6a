import { isStreamingActor, type StreamingActor } from '../actor/actor.ts';
import type { ActorStream, LooseChunk } from '../actor/chunks.ts';
import { type ActorCallContext, lacksAI } from '../actor/context.ts';
import type { AI } from '../ai/ai.ts';
import { ActorError, assertName, invalid, quote, UnknownActorError } from '../errors.ts';

/** Anything a registry takes: an `Actor`, a `RemoteStreamingActor` or what looks like one, of any types. */
export interface AnyActor {
  execute(input: never, context?: ActorCallContext): Promise<unknown>;
  stream(input: never, context?: ActorCallContext): AsyncGenerator<LooseChunk, void, unknown>;
}

/** An actor as {@link ActorRegistry.list} shows it. */
export interface ActorInfo {
  readonly type: string;
  /** False for actors that only have `execute`: their stream is one chunk. */
  readonly streaming: boolean;
  readonly description?: string;
}

/** Options of {@link ActorRegistry.register}. */
export interface RegisterOptions {
  /** One line for people, as `perennial actor list` prints it. @default none */
  readonly description?: string;
}

/** Options of {@link createActorRegistry}. */
export interface ActorRegistryOptions {
  /** Actors by type. @default none */
  readonly actors?: Readonly<Record<string, AnyActor>>;
  /** The model of all actors, unless a call brings its own. @default none */
  readonly ai?: AI;
}

/** Actors by type. */
export interface ActorRegistry {
  /** The actor, ready to be called without a context. @throws {@link UnknownActorError} naming the type and those there are. */
  get<Input = unknown, Output = unknown, Data = Output>(type: string): StreamingActor<Input, Output, Data>;
  has(type: string): boolean;
  /** Adds an actor. @throws `DUPLICATE_ACTOR` when the type is taken, `INVALID_ARGUMENT` for what is no actor. */
  register(type: string, actor: AnyActor, options?: RegisterOptions): void;
  /** What is registered, in the order of registration. */
  list(): readonly ActorInfo[];
}

/**
 * Creates a registry.
 *
 * @example
 * const registry = createActorRegistry({ ai, actors: { 'chat-agent': new ChatActor() } });
 * for await (const chunk of registry.get('chat-agent').stream(input)) console.log(chunk);
 */
export function createActorRegistry({ actors = {}, ai }: ActorRegistryOptions = {}): ActorRegistry {
  const registry = new MapRegistry(ai);
  for (const [type, actor] of Object.entries(actors)) registry.register(type, actor);
  return registry;
}

interface Entry {
  readonly info: ActorInfo;
  readonly actor: StreamingActor;
}

class MapRegistry implements ActorRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #ai: AI | undefined;

  constructor(ai: AI | undefined) {
    this.#ai = ai;
  }

  get<Input, Output, Data>(type: string): StreamingActor<Input, Output, Data> {
    const entry = this.#entries.get(type);
    if (!entry) throw new UnknownActorError(type, [...this.#entries.keys()]);
    // Which types an actor has is known to whoever registered it under this name.
    return entry.actor as StreamingActor<Input, Output, Data>;
  }

  has(type: string): boolean {
    return this.#entries.has(type);
  }

  register(type: string, actor: AnyActor, { description }: RegisterOptions = {}): void {
    assertName('type', type);
    if (this.#entries.has(type))
      throw new ActorError('DUPLICATE_ACTOR', `There is an actor of type ${quote(type)} already.`);
    if (!isActor(actor))
      throw invalid(`The actor of type ${quote(type)} must have \`execute\` and \`stream\`; got ${quote(actor)}.`);
    const info = { type, streaming: isStreamingActor(actor), ...(description !== undefined && { description }) };
    this.#entries.set(type, { info, actor: this.#bind(actor) });
  }

  list(): readonly ActorInfo[] {
    return [...this.#entries.values()].map(({ info }) => info);
  }

  #bind(actor: AnyActor): StreamingActor {
    const whole = (context: ActorCallContext = {}): ActorCallContext =>
      this.#ai && lacksAI(context) ? { ...context, ai: this.#ai } : context;
    return {
      execute: (input, context) => actor.execute(input as never, whole(context)),
      // `manageStream` checked the chunks.
      stream: (input, context) => actor.stream(input as never, whole(context)) as ActorStream,
    };
  }
}

function isActor(value: unknown): value is AnyActor {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'execute') === 'function' && typeof Reflect.get(value, 'stream') === 'function';
}
