import { ChatPage } from '../support/chat-page.ts';
import { startDemo } from '../support/start-demo.ts';
import { DEMO_ENV, expect, temporaryFolder, test } from '../support/test.ts';

test('a server killed in mid-answer leaves a typed end in the open tab, and every word it had shown', async ({
  page,
}) => {
  test.slow();
  const data = await temporaryFolder();
  const first = await startDemo({ data: data.path, env: DEMO_ENV });
  const chat = new ChatPage(page, first.url);
  await chat.open();
  await chat.ask('When are the apple trees pruned?');
  await chat.reachWords(10);
  await first.crash();
  await expect(chat.answer).toHaveAttribute('data-status', /reconnecting|connecting|stalled/, { timeout: 20_000 });
  const shown = await chat.finalText();

  const second = await startDemo({ data: data.path, port: first.port, env: DEMO_ENV });
  await expect(chat.answer).toHaveAttribute('data-status', 'failed', { timeout: 40_000 });
  await expect(chat.answer.getByTestId('status')).toContainText(/lost|stopped|interrupted|failed/i);
  expect((await chat.finalText()).startsWith(shown.slice(0, -1))).toBe(true);

  // The conversation survived and goes on.
  await chat.page.reload();
  await expect(chat.answer).toHaveAttribute('data-status', 'failed');
  await chat.ask('Where do the hives stand?');
  expect(await chat.ended('completed')).toContain('pear hedge');
  await second.stop();
  await data.remove();
});

test('a restart on the same folder brings every conversation back', async ({ page }) => {
  test.slow();
  const data = await temporaryFolder();
  const first = await startDemo({ data: data.path, env: DEMO_ENV });
  const chat = new ChatPage(page, first.url);
  await chat.open();
  await chat.ask('When is honey harvested?');
  const text = await chat.ended('completed');
  await first.stop();
  const second = await startDemo({ data: data.path, port: first.port, env: DEMO_ENV });
  await chat.page.reload();
  expect(await chat.ended('completed')).toBe(text);
  await second.stop();
  await data.remove();
});

test.describe('with the server gone', () => {
  test('a message that cannot be sent stays in the box', async ({ page }) => {
    test.slow();
    const data = await temporaryFolder();
    const demo = await startDemo({ data: data.path, env: DEMO_ENV });
    const chat = new ChatPage(page, demo.url);
    await chat.open();
    await demo.stop();
    await chat.message.fill('Will this be lost?');
    await chat.message.press('Enter');
    await expect(chat.page.getByRole('alert').filter({ hasText: /.+/ }).first()).toBeVisible();
    await expect(chat.message).toHaveValue('Will this be lost?');
    await data.remove();
  });
});
