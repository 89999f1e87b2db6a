import { createMemoryStreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import {
  AIService,
  createActorRegistry,
  createMemoryQueue,
  defineActor,
  defineConfig,
  resolveConfig,
} from '../../src/index.ts';

const actor = defineActor(async () => 1);

describe('a config', () => {
  it('is resolved with everything filled in', async () => {
    let opened = 0;
    const store = createMemoryStreamStore();
    const queue = createMemoryQueue();
    const config = resolveConfig(
      defineConfig({
        ai: { model: 'm', baseUrl: 'http://localhost/v1' },
        actors: { plain: actor, described: { actor, description: 'One line' } },
        store: () => {
          opened++;
          return store;
        },
        queue: async () => queue,
      }),
    );
    expect(config.ai).toBeInstanceOf(AIService);
    expect(config.address).toBe('actors');
    expect(config.registry.list()).toEqual([
      { type: 'plain', streaming: true },
      { type: 'described', streaming: true, description: 'One line' },
    ]);
    expect(opened).toBe(0);
    expect(await config.openStore?.()).toBe(store);
    expect(await config.openStore?.()).toBe(store);
    expect(opened).toBe(1);
    expect(await config.openQueue?.()).toBe(queue);
  });

  it('may be empty, or bring a registry', () => {
    expect(resolveConfig({})).toMatchObject({ ai: null, openStore: null, openQueue: null });
    const registry = createActorRegistry();
    expect(resolveConfig({ actors: registry }).registry).toBe(registry);
  });

  it.each([
    [null, /must be an object.*null/],
    [{ actors: 7 }, /`actors`.*7/],
    [{ actors: { a: {} } }, /"a" must have/],
    [{ ai: 'gpt' }, /`ai`.*"gpt"/],
    [{ ai: { model: '' } }, /`model`/],
    [{ store: {} }, /`store` must be a function/],
    [{ queue: 'redis' }, /`queue` must be a function.*"redis"/],
    [{ address: '' }, /`address`/],
  ])('names what makes no sense in %j', (config, message) => {
    expect(() => resolveConfig(config)).toThrow(message);
  });
});
