/**
 * Every package is one vitest project and runs against its own `src`: the
 * `perennial-source` condition in each exports map resolves `@perennial/*` to
 * TypeScript files, so no build is needed first and stack traces name source.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { defineConfig } from 'vitest/config';

// Most of what a short test file or process takes is compiling what it imports, and hundreds import the same.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled');

const conditions = ['perennial-source', 'module', 'node', 'development|production'];

/** For the published suite of the protocol, whose tests of times to live all wait at the same time. */
const WAITING = 20;

const packages: readonly Package[] = [
  { name: 'core' },
  { name: 'testing' },
  { name: 'protocol-suite', maxConcurrency: WAITING },
  { name: 'pipeline' },
  { name: 'store-file', maxConcurrency: WAITING },
  { name: 'redis-server' },
  { name: 'store-redis', maxConcurrency: WAITING },
  { name: 'workflow' },
  { name: 'actor' },
  { name: 'react', environment: 'happy-dom' },
  { name: 'next', maxConcurrency: WAITING },
  { name: 'node', maxConcurrency: WAITING },
  { name: 'resumable-stream' },
  // Its tests start processes, many of them one after the other.
  { name: 'cli', testTimeout: 60_000 },
  { name: 'demo', root: 'apps/demo' },
  { name: 'examples', root: 'examples' },
];

interface Package {
  readonly name: string;
  /** @default 'node' */
  readonly environment?: 'node' | 'happy-dom';
  /** @default packages/<name> */
  readonly root?: string;
  /** @default 20_000 */
  readonly testTimeout?: number;
  /** Tests of a file that may run at a time, where it lets them. @default 5 */
  readonly maxConcurrency?: number;
}

export default defineConfig({
  test: {
    // More than there are cores: the tests of processes and servers mostly wait.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: packages.map(
      ({ name, environment = 'node', root = `packages/${name}`, testTimeout = 20_000, maxConcurrency = 5 }) => ({
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: `@perennial/${name}`,
          root,
          environment,
          include: ['test/**/*.test.{ts,tsx}'],
          typecheck: { enabled: false },
          testTimeout,
          hookTimeout: 20_000,
          teardownTimeout: 10_000,
          maxConcurrency,
          restoreMocks: true,
          unstubGlobals: true,
        },
      }),
    ),
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reportsDirectory: 'coverage',
    },
  },
});
