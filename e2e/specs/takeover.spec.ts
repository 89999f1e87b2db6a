import { startRedis } from '@perennial/redis-server';

import { ChatPage } from '../support/chat-page.ts';
import { startDemo } from '../support/start-demo.ts';
import { startSwitchProxy } from '../support/switch-proxy.ts';
import { DEMO_ENV, expect, temporaryFolder, test } from '../support/test.ts';

const QUESTION = 'When are the apple trees pruned?';

/** Two servers on one Redis, and one address in front of them. */
async function startPair() {
  const [redis, data] = await Promise.all([startRedis(), temporaryFolder()]);
  const env = { ...DEMO_ENV, PERENNIAL_REDIS_URL: redis.url };
  const [first, second] = await Promise.all([startDemo({ data: data.path, env }), startDemo({ data: data.path, env })]);
  const proxy = await startSwitchProxy(first.port);
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await Promise.all([first.stop(), second.stop()]);
    await Promise.all([redis.stop(), data.remove()]);
  };
  return { first, second, proxy, stop };
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
  const chat = new ChatPage(page, pair.proxy.url);
  await chat.open();
  await chat.ask(QUESTION);
  await chat.reachWords(10);
  pair.proxy.use(pair.second.port);
  await pair.first.crash();
  const shown = await chat.finalText();
  // The second server waits until the lease of the first has lapsed, and the page says so.
  await expect(chat.answer).toHaveAttribute('data-status', 'stalled', { timeout: 20_000 });
  await expect(chat.answer).toContainText('as soon as another one takes over');
  const text = await chat.ended('completed', 60_000);
  expect(text.startsWith(shown)).toBe(true);
  expect(text).toBe(await undisturbed.ended('completed'));
  await chat.page.reload();
  await expect(chat.answers).toHaveCount(1);
  expect(await chat.ended('completed')).toBe(text);
  await pair.stop();
});

test('Stop at one server stops an answer that another one writes', async ({ page }) => {
  test.slow();
  const pair = await startPair();
  const chat = new ChatPage(page, pair.first.url);
  await chat.open();
  await chat.ask(QUESTION);
  await chat.reachWords(5);
  const other = new ChatPage(await page.context().newPage(), pair.second.url);
  await other.open(new URL(chat.page.url()).pathname);
  await other.reachWords(5);
  await other.stop.click();
  const texts = await Promise.all([chat.ended('cancelled'), other.ended('cancelled')]);
  expect(texts[0]).toBe(texts[1]);
  await pair.stop();
});
