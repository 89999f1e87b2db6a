import { type ActorRegistry, createActorRegistry } from '@perennial/actor';

import { Analyst } from './analyst.ts';
import type { Desk } from './desk.ts';
import { Researcher } from './researcher.ts';
import { Writer } from './writer.ts';

/** The actors that answer as a team; each can also be run alone, with a question or with the result of the one before. */
export function createDemoActors(desk: Desk): ActorRegistry {
  const registry = createActorRegistry();
  registry.register('researcher', new Researcher(desk), {
    description: 'Finds the passages that answer a question, and says where they are',
  });
  registry.register('analyst', new Analyst(desk), {
    description: 'Works out the key points of the passages, with counts',
  });
  registry.register('writer', new Writer(desk), { description: 'Writes the answer from the passages, with citations' });
  return registry;
}
