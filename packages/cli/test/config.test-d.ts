import { Actor, createMemoryQueue, defineConfig as defineActorConfig } from '@perennial/actor';
import { defineConfig } from '@perennial/cli';
import { createMemoryStreamStore } from '@perennial/core';

class Echo extends Actor {
  override async execute(input: unknown): Promise<unknown> {
    return input;
  }
}

defineConfig({});
defineConfig({ store: { url: 'http://127.0.0.1:4437', token: 'secret' } });
defineConfig({ store: { redis: 'redis://127.0.0.1', prefix: 'chat' }, queue: { redis: 'redis://127.0.0.1' } });
defineConfig({ store: { directory: '.streams', durability: 'os', url: 'http://127.0.0.1:3000/api/streams' } });
defineConfig({ store: () => createMemoryStreamStore(), queue: () => createMemoryQueue() });
defineConfig({ store: async () => createMemoryStreamStore() });
defineConfig({
  actors: { echo: new Echo(), described: { actor: new Echo(), description: 'Says it again' } },
  address: 'a',
});
// What is declared for programs is good for the command, too.
defineConfig(defineActorConfig({ actors: { echo: new Echo() }, store: () => createMemoryStreamStore() }));

// @ts-expect-error -- no such field
defineConfig({ stores: {} });
// @ts-expect-error -- no such durability
defineConfig({ store: { directory: '.streams', durability: 'maybe' } });
// @ts-expect-error -- no actor
defineConfig({ actors: { echo: 7 } });
