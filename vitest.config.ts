/**
 * Every package is one vitest project and runs against its own `src`: the
 * `perennial-source` condition in each exports map resolves `@perennial/*` to
 * TypeScript files, so no build is needed first and stack traces name source.
 */
import { defineConfig } from 'vitest/config';

const conditions = ['perennial-source', 'module', 'node', 'development|production'];

const packages: readonly Package[] = [
  { name: 'core' },
  { name: 'testing' },
  { name: 'protocol-suite' },
  { name: 'pipeline' },
  { name: 'store-file' },
  { name: 'redis-server' },
  { name: 'store-redis' },
  { name: 'workflow' },
  { name: 'actor' },
  { name: 'react', environment: 'happy-dom' },
  { name: 'next' },
  { name: 'node' },
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
}

export default defineConfig({
  test: {
    // One for each core: the tests of processes and servers mostly wait, so the default of one less leaves two cores half idle.
    maxWorkers: '100%',
    projects: packages.map(({ name, environment = 'node', root = `packages/${name}`, testTimeout = 20_000 }) => ({
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
        restoreMocks: true,
        unstubGlobals: true,
      },
    })),
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reportsDirectory: 'coverage',
    },
  },
});
