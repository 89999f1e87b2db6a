import { startRedis } from '@perennial/redis-server';

import { ChatPage, openInMidAnswer } from '../support/chat-page.ts';
import { startDemo } from '../support/start-demo.ts';
import { startSwitchProxy } from '../support/switch-proxy.ts';
import { DEMO_ENV, expect, SLOW, temporaryFolder, test } from '../support/test.ts';

const QUESTION = 'When are the apple trees pruned?';

/** Longer than a test: a server with this lease never looks for answers of others. */
const IDLE_LEASE_MS = '600000';

interface PairOptions {
  /** Added to the environment of both servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to that of the second. */
  readonly secondEnv?: Readonly<Record<string, string>>;
}

/** Two servers on one Redis, and one address in front of them that leads to the first. */
async function startPair({ env = {}, secondEnv = {} }: PairOptions = {}) {
  const [redis, data] = await Promise.all([startRedis(), temporaryFolder()]);
  const common = { ...DEMO_ENV, PERENNIAL_REDIS_URL: redis.url, ...env };
  const start = (own: Readonly<Record<string, string>> = {}) =>
    startDemo({ data: data.path, env: { ...common, ...own } });
  const [first, second] = await Promise.all([start(), start(secondEnv)]);
  const proxy = await startSwitchProxy(first.port);
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await Promise.all([first.stop(), second.stop()]);
    await Promise.all([redis.stop(), data.remove()]);
  };
  return { first, second, proxy, start, stop };
}

test('another server goes on with an answer whose server is killed, no word lost or doubled', async ({
  page,
  demo,
}) => {
  test.slow();
  const undisturbed = new ChatPage(await page.context().newPage(), demo.url);
  await undisturbed.open();
  await undisturbed.ask(QUESTION);

  const pair = await startPair();
  const chat = await openInMidAnswer(page, pair.proxy.url, QUESTION);
  pair.proxy.use(pair.second.port);
  await pair.first.crash();
  await expect(chat.answer).not.toHaveAttribute('data-status', 'completed');
  const shown = await chat.finalText();
  const text = await chat.ended('completed', 60_000);
  expect(text.startsWith(shown)).toBe(true);
  expect(text).toBe(await undisturbed.ended('completed'));
  await chat.page.reload();
  await expect(chat.answers).toHaveCount(1);
  expect(await chat.ended('completed')).toBe(text);
  await pair.stop();
});

test('an answer that no server goes on with says so, and goes on when one comes', async ({ page }) => {
  test.slow();
  const pair = await startPair({ secondEnv: { PERENNIAL_DEMO_LEASE_MS: IDLE_LEASE_MS } });
  const chat = await openInMidAnswer(page, pair.proxy.url, QUESTION);
  pair.proxy.use(pair.second.port);
  await pair.first.crash();
  await expect(chat.answer).toHaveAttribute('data-status', 'stalled', { timeout: 40_000 });
  await expect(chat.answer).toContainText('as soon as another one takes over');
  await expect(chat.answer.getByRole('button', { name: 'Start again' })).toBeVisible({ timeout: 30_000 });
  const shown = await chat.finalText();
  const third = await pair.start();
  const text = await chat.ended('completed', 60_000);
  expect(text.startsWith(shown)).toBe(true);
  expect(text).toContain('blue ribbon');
  await third.stop();
  await pair.stop();
});

test('Stop at one server stops an answer that another one writes', async ({ page }) => {
  test.slow();
  const pair = await startPair({ env: { PERENNIAL_DEMO_PACE: SLOW } });
  const chat = await openInMidAnswer(page, pair.first.url, QUESTION, 5);
  const other = new ChatPage(await page.context().newPage(), pair.second.url);
  await other.open(new URL(chat.page.url()).pathname);
  await other.reachWords(5);
  await other.stop.click();
  const texts = await Promise.all([chat.ended('cancelled'), other.ended('cancelled')]);
  expect(texts[0]).toBe(texts[1]);
  await pair.stop();
});
