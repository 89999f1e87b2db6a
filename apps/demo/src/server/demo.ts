import type { StreamStore } from '@perennial/core';

import type { Answerer } from './answer/answerer.ts';
import { type Answers, createAnswers } from './answer/answers.ts';
import { createAnswerer } from './answer/create-answerer.ts';
import { checkDocuments } from './check-documents.ts';
import { type DemoConfig, readConfig } from './config.ts';
import { type Corpus, createCorpus } from './corpus/corpus.ts';
import { Importer } from './knowledge/importer.ts';
import { openStore } from './store.ts';

/** Everything that lives as long as the server. */
export interface Demo {
  readonly config: DemoConfig;
  readonly store: StreamStore;
  readonly corpus: Corpus;
  readonly importer: Importer;
  readonly answerer: Answerer;
  readonly answers: Answers;
}

const KEY = Symbol.for('perennial.demo');
// A cast, because a declared global would be visible to every file.
const registry = globalThis as { [KEY]?: Demo };

/** The one instance of this process: Next loads modules several times, and again after an edit in development. */
export function demo(): Demo {
  return (registry[KEY] ??= createDemo(readConfig(process.env, process.cwd())));
}

function createDemo(config: DemoConfig): Demo {
  const store = openStore(config);
  const corpus = createCorpus(config.documents, { store });
  const answerer = createAnswerer(config, corpus);
  return {
    config,
    store,
    corpus,
    importer: new Importer({ store, importRoot: config.importRoot, filesPerSecond: config.filesPerSecond }),
    answerer,
    answers: createAnswers({
      store,
      answerer,
      wordsPerSecond: config.wordsPerSecond,
      leaseMs: config.leaseMs,
      checkDocuments: () => checkDocuments(config),
    }),
  };
}
