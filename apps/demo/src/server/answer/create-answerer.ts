import type { DemoConfig } from '../config.ts';
import type { Corpus } from '../corpus/corpus.ts';
import type { Answerer } from './answerer.ts';
import { createModelAnswerer } from './model.ts';
import { createOfflineAnswerer } from './offline.ts';

/** Who answers, by what is configured: a model, or extracts. */
export function createAnswerer({ model, wordsPerSecond }: DemoConfig, corpus: Corpus): Answerer {
  return model ? createModelAnswerer({ corpus, ...model }) : createOfflineAnswerer({ corpus, wordsPerSecond });
}
