import { expect, test } from 'vitest';

import { readConfig } from '../src/server/config.ts';

const APP = '/srv/perennial/apps/demo';

test('works without any variable', () => {
  expect(readConfig({}, APP)).toEqual({
    dataFolder: '/srv/perennial/.perennial',
    redisUrl: null,
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
    prefill: false,
  });
});

test('takes a Redis server, and says nothing of the password of one that it cannot use', () => {
  expect(readConfig({ PERENNIAL_REDIS_URL: 'redis://localhost:6379' }, APP).redisUrl).toBe('redis://localhost:6379');
  const refused = (): unknown => readConfig({ PERENNIAL_REDIS_URL: 'http://:secret@localhost' }, APP);
  expect(refused).toThrow(/^PERENNIAL_REDIS_URL must look like redis:\/\/localhost:6379/);
  expect(refused).not.toThrow(/secret/);
});

test('knows endpoints that go on with what they are given', () => {
  const base = { OPENAI_BASE_URL: 'http://localhost:8080/v1' };
  expect(readConfig({ ...base, OPENAI_PREFILL: '1' }, APP).model?.prefill).toBe(true);
  expect(readConfig({ ...base, OPENAI_PREFILL: '0' }, APP).model?.prefill).toBe(false);
});

test.each([
  [{ PERENNIAL_DEMO_PACE: 'fast' }, 'PERENNIAL_DEMO_PACE must be a number of at least 0; got "fast".'],
  [{ PERENNIAL_DEMO_PACE: '-1' }, 'PERENNIAL_DEMO_PACE must be a number of at least 0; got "-1".'],
  [{ PERENNIAL_DEMO_LEASE_MS: '5' }, 'PERENNIAL_DEMO_LEASE_MS must be a number of at least 100; got "5".'],
  [{ OPENAI_API_KEY: 'k', OPENAI_PREFILL: 'yes' }, 'OPENAI_PREFILL must be 0 or 1; got "yes".'],
  [{ OPENAI_BASE_URL: 'localhost:1234' }, /OPENAI_BASE_URL must be an http\(s\) URL.*"localhost:1234"/],
])('refuses %o by name', (env, message) => {
  expect(() => readConfig(env, APP)).toThrow(message);
});
