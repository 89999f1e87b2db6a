import type { StreamStore } from '@perennial/core';

import { AIService, type AIServiceOptions } from '../ai/ai-service.ts';
import type { AI } from '../ai/ai.ts';
import { invalid, quote } from '../errors.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import { type ActorRegistry, type AnyActor, createActorRegistry } from '../registry/registry.ts';

/** An actor with a line about it. */
export interface ConfiguredActor {
  readonly actor: AnyActor;
  /** One line for people. */
  readonly description?: string;
}

/** What `perennial.config.ts` exports by default: all that commands, workers and servers of one project share. */
export interface PerennialConfig {
  /** Actors by type, or a registry of your own. @default none */
  readonly actors?: Readonly<Record<string, AnyActor | ConfiguredActor>> | ActorRegistry;
  /** The model of all actors: a service, or its options. @default none */
  readonly ai?: AI | AIServiceOptions;
  /** Opens the store of the streams; called at most once, when it is needed. @default decided by the command */
  readonly store?: () => StreamStore | Promise<StreamStore>;
  /** Opens the queue of the workers; called at most once, when it is needed. @default decided by the command */
  readonly queue?: () => MessageQueue | Promise<MessageQueue>;
  /** Queue address that workers consume. @default 'actors' */
  readonly address?: string;
}

/** A checked config, with everything made that costs nothing to make. */
export interface ResolvedConfig {
  readonly registry: ActorRegistry;
  readonly ai: AI | null;
  readonly address: string;
  /** Null when the config names no store. */
  readonly openStore: (() => Promise<StreamStore>) | null;
  /** Null when the config names no queue. */
  readonly openQueue: (() => Promise<MessageQueue>) | null;
}

/** Address of workers and remote actors that name none. */
export const DEFAULT_ADDRESS = 'actors';

/**
 * Types a config; returns it unchanged.
 *
 * @example
 * export default defineConfig({ ai: { model: 'gpt-4.1-mini' }, actors: { 'chat-agent': new ChatActor() } });
 */
export function defineConfig(config: PerennialConfig): PerennialConfig {
  return config;
}

/** Checks a config. @throws `INVALID_ARGUMENT` naming the first member that makes no sense. */
export function resolveConfig(config: unknown): ResolvedConfig {
  if (typeof config !== 'object' || config === null)
    throw invalid(`A config must be an object, made with \`defineConfig\`; got ${quote(config)}.`);
  // Checked member by member below.
  const { actors = {}, ai: givenAI, store, queue, address = DEFAULT_ADDRESS } = config as PerennialConfig;
  if (typeof actors !== 'object' || actors === null)
    throw invalid(`\`actors\` must be an object or a registry; got ${quote(actors)}.`);
  if (typeof address !== 'string' || address === '')
    throw invalid(`\`address\` must be a non-empty string; got ${quote(address)}.`);
  const ai = resolveAI(givenAI);
  return {
    registry: isRegistry(actors) ? actors : registryOf(actors, ai),
    ai,
    address,
    openStore: opener('store', store),
    openQueue: opener('queue', queue),
  };
}

function resolveAI(ai: AI | AIServiceOptions | undefined): AI | null {
  if (ai === undefined) return null;
  if (typeof ai !== 'object' || ai === null)
    throw invalid(`\`ai\` must be a service or its options; got ${quote(ai)}.`);
  return 'streamCompletion' in ai ? ai : new AIService(ai);
}

function registryOf(actors: Readonly<Record<string, AnyActor | ConfiguredActor>>, ai: AI | null): ActorRegistry {
  const registry = createActorRegistry(ai ? { ai } : {});
  for (const [type, entry] of Object.entries(actors)) {
    if (typeof entry === 'object' && entry !== null && 'actor' in entry)
      registry.register(type, entry.actor, entry.description === undefined ? {} : { description: entry.description });
    else registry.register(type, entry);
  }
  return registry;
}

function isRegistry(actors: object): actors is ActorRegistry {
  return ['get', 'has', 'register', 'list'].every((name) => typeof Reflect.get(actors, name) === 'function');
}

function opener<T>(name: string, open: (() => T | Promise<T>) | undefined): (() => Promise<T>) | null {
  if (open === undefined) return null;
  if (typeof open !== 'function') throw invalid(`\`${name}\` must be a function that opens one; got ${quote(open)}.`);
  let opened: Promise<T> | undefined;
  return () => (opened ??= (async () => open())());
}
