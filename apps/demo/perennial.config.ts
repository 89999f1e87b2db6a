import { defineConfig } from '@perennial/cli';

import { createDemoActors } from './src/server/actors/registry.ts';
import { createAnswerer } from './src/server/answer/create-answerer.ts';
import { readConfig } from './src/server/config.ts';
import { createCorpus } from './src/server/corpus/corpus.ts';
import { openStore } from './src/server/store.ts';

const config = readConfig(process.env, import.meta.dirname);
const store = openStore(config);
const answerer = createAnswerer(config, createCorpus(config.documents, { store }));

export default defineConfig({
  store: () => store,
  actors: createDemoActors({
    answerer,
    find: (question) => answerer.find(question),
    wordsPerSecond: config.wordsPerSecond,
  }),
});
