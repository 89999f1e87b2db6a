import { defineConfig } from '@playwright/test';

import { findChromium } from './support/find-chromium.ts';

const chromium = await findChromium();
const environment = Object.entries({ ...process.env, ...chromium.env });

export default defineConfig({
  testDir: './specs',
  // Playwright empties this folder when it starts, so reports live elsewhere.
  outputDir: './test-results',
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  // More than two cores' worth: most of a test is waiting for words.
  workers: 3,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium.path,
      args: ['--no-sandbox'],
      env: Object.fromEntries(environment.filter((pair): pair is [string, string] => pair[1] !== undefined)),
    },
  },
});
