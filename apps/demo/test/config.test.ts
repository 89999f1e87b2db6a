import { expect, test } from 'vitest';

import { readConfig } from '../src/server/config.ts';

const APP = '/srv/perennial/apps/demo';

test('works without any variable', () => {
  expect(readConfig({}, APP)).toEqual({
    dataFolder: '/srv/perennial/.perennial',
    documents: { base: '/srv/perennial', paths: ['README.md', 'docs', 'PROTOCOL.md'] },
    documentsLabel: 'docs',
    importRoot: null,
    wordsPerSecond: 45,
    filesPerSecond: 0,
    leaseMs: 5_000,
    model: null,
  });
});

test('takes folders, pace and lease from the environment', () => {
  const config = readConfig(
    {
      PERENNIAL_DATA: '/data',
      PERENNIAL_DOCS: 'notes',
      PERENNIAL_IMPORT_ROOT: 'books',
      PERENNIAL_DEMO_PACE: '0',
      PERENNIAL_DEMO_LEASE_MS: '700',
    },
    APP,
  );
  expect(config).toMatchObject({
    dataFolder: '/data',
    documents: { base: `${APP}/notes`, paths: [''] },
    documentsLabel: 'notes',
    importRoot: `${APP}/books`,
    wordsPerSecond: 0,
    leaseMs: 700,
  });
});

test('uses a model as soon as there is an endpoint or a key', () => {
  expect(readConfig({ OPENAI_API_KEY: 'k' }, APP).model).toMatchObject({
    baseUrl: 'https://api.openai.com/v1',
    apiKey: 'k',
  });
  expect(readConfig({ OPENAI_BASE_URL: 'http://localhost:11434/v1', OPENAI_MODEL: 'm' }, APP).model).toEqual({
    baseUrl: 'http://localhost:11434/v1',
    apiKey: 'none',
    model: 'm',
  });
});

test.each([
  [{ PERENNIAL_DEMO_PACE: 'fast' }, 'PERENNIAL_DEMO_PACE must be a number of at least 0; got "fast".'],
  [{ PERENNIAL_DEMO_PACE: '-1' }, 'PERENNIAL_DEMO_PACE must be a number of at least 0; got "-1".'],
  [{ PERENNIAL_DEMO_LEASE_MS: '5' }, 'PERENNIAL_DEMO_LEASE_MS must be a number of at least 100; got "5".'],
  [{ OPENAI_BASE_URL: 'localhost:1234' }, /OPENAI_BASE_URL must be an http\(s\) URL.*"localhost:1234"/],
])('refuses %o by name', (env, message) => {
  expect(() => readConfig(env, APP)).toThrow(message);
});
