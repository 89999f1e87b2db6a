import type { ProducedStream, StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';

import type { Answerer } from './answer/answerer.ts';
import { createModelAnswerer } from './answer/model.ts';
import { createOfflineAnswerer } from './answer/offline.ts';
import { type DemoConfig, readConfig } from './config.ts';
import { type Corpus, createCorpus } from './corpus/corpus.ts';
import { Importer } from './knowledge/importer.ts';

/** Everything that lives as long as the server. */
export interface Demo {
  readonly config: DemoConfig;
  readonly store: StreamStore;
  readonly corpus: Corpus;
  readonly importer: Importer;
  readonly answerer: Answerer;
  /** Answers that this process is starting or writing, by stream id; null for one that was there before. */
  readonly running: Map<string, Promise<ProducedStream | null>>;
}

const KEY = Symbol.for('perennial.demo');
// A cast, because a declared global would be visible to every file.
const registry = globalThis as { [KEY]?: Demo };

/** The one instance of this process: Next loads modules several times, and again after an edit in development. */
export function demo(): Demo {
  return (registry[KEY] ??= createDemo(readConfig(process.env, process.cwd())));
}

function createDemo(config: DemoConfig): Demo {
  const store = createFileStreamStore({ directory: config.dataFolder });
  const corpus = createCorpus(config.documents, { store });
  return {
    config,
    store,
    corpus,
    importer: new Importer({ store, importRoot: config.importRoot, filesPerSecond: config.filesPerSecond }),
    answerer: config.model
      ? createModelAnswerer({ corpus, ...config.model })
      : createOfflineAnswerer({ corpus, wordsPerSecond: config.wordsPerSecond }),
    running: new Map(),
  };
}
