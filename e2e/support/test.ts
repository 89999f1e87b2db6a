/**
 * The fixtures of every spec: a demo of its own per worker on a small fixed corpus, and pages that fail their test on any console error
 * that the test did not announce.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type BrowserContext, expect, test as base } from '@playwright/test';

import { ChatPage } from './chat-page.ts';
import { type RunningDemo, startDemo } from './start-demo.ts';

/** Words per second at which there is time to do something in the middle of an answer. */
const PACE = '8';

/** Words per second for tests that mostly wait for the end of an answer. */
export const QUICK = '20';

/** Words per second for tests that end an answer early, which must not be over before, however busy the machine is. */
export const SLOW = '2';

/** The environment in which answers can be interrupted and a dead producer is noticed soon. */
export const DEMO_ENV: Readonly<Record<string, string>> = {
  PERENNIAL_DOCS: join(import.meta.dirname, '..', 'fixtures', 'corpus'),
  PERENNIAL_DEMO_PACE: PACE,
  PERENNIAL_DEMO_LEASE_MS: '2000',
  OPENAI_API_KEY: '',
  OPENAI_BASE_URL: '',
};

/** A folder that is gone after the test run. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'perennial-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

interface TestFixtures {
  /** Console errors that the test brings about on purpose, such as a refused connection. */
  allowedErrors: RegExp[];
  chat: ChatPage;
  /** Opens a chat in a further tab, of the same browser context unless another is given. */
  openTab: (context?: BrowserContext) => Promise<ChatPage>;
}

interface WorkerFixtures {
  /** Words per second of the demo's answers. */
  pace: string;
  demo: RunningDemo;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  pace: [PACE, { scope: 'worker', option: true }],
  demo: [
    async ({ pace }, use) => {
      const data = await temporaryFolder();
      const demo = await startDemo({ data: data.path, env: { ...DEMO_ENV, PERENNIAL_DEMO_PACE: pace } });
      await use(demo);
      await demo.stop();
      await data.remove();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  allowedErrors: [[] as RegExp[], { option: true }],
  openTab: async ({ context, demo, allowedErrors }, use) => {
    const errors: string[] = [];
    await use(async (where = context) => {
      const page = await where.newPage();
      page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' || /hydrat/i.test(message.text()))
          errors.push(`${page.url()}: ${message.text()}`);
      });
      return new ChatPage(page, demo.url);
    });
    expect(errors.filter((text) => !allowedErrors.some((allowed) => allowed.test(text)))).toEqual([]);
  },
  chat: async ({ openTab }, use) => {
    const chat = await openTab();
    await chat.open();
    await use(chat);
  },
});

export { expect } from '@playwright/test';
