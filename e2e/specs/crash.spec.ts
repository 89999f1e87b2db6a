import { ChatPage, openInMidAnswer } from '../support/chat-page.ts';
import { startDemo } from '../support/start-demo.ts';
import { DEMO_ENV, expect, temporaryFolder, test } from '../support/test.ts';

const QUESTION = 'When are the apple trees pruned?';

test('an answer whose server is killed goes on in the open tab once it is back, no word lost or doubled', async ({
  page,
  demo,
}) => {
  test.slow();
  const undisturbed = new ChatPage(await page.context().newPage(), demo.url);
  await undisturbed.open();
  await undisturbed.ask(QUESTION);

  const data = await temporaryFolder();
  let server = await startDemo({ data: data.path, env: DEMO_ENV });
  const chat = new ChatPage(page, server.url);
  await chat.open();
  await chat.ask(QUESTION);
  for (const words of [10, 25]) {
    await chat.reachWords(words);
    await server.crash();
    await expect(chat.answer).toHaveAttribute('data-status', /reconnecting|connecting/, { timeout: 20_000 });
    const shown = await chat.finalText();
    server = await startDemo({ data: data.path, port: server.port, env: DEMO_ENV });
    await expect
      .poll(async () => (await chat.text.innerText()).trim().length, { timeout: 40_000 })
      .toBeGreaterThan(shown.length);
    expect((await chat.text.innerText()).trim().startsWith(shown)).toBe(true);
  }
  expect(await chat.ended('completed')).toBe(await undisturbed.ended('completed'));

  // The conversation has the question once, and goes on.
  await chat.page.reload();
  await expect(chat.answers).toHaveCount(1);
  expect(await chat.ended('completed')).toBe(await undisturbed.finalText());
  await chat.ask('Where do the hives stand?');
  expect(await chat.ended('completed')).toContain('pear hedge');
  await server.stop();
  await data.remove();
});

test('an answer whose question nobody sees is there when the page is opened after the crash', async ({ page }) => {
  test.slow();
  const data = await temporaryFolder();
  const first = await startDemo({ data: data.path, env: DEMO_ENV });
  const chat = await openInMidAnswer(page, first.url, QUESTION);
  const path = new URL(chat.page.url()).pathname;
  await chat.page.goto('about:blank');
  await first.crash();

  const second = await startDemo({ data: data.path, env: DEMO_ENV });
  const later = new ChatPage(page, second.url);
  await later.open(path);
  await expect(later.answers).toHaveCount(1);
  expect(await later.ended('completed')).toContain('blue ribbon');
  await second.stop();
  await data.remove();
});

test('an answer that the server cannot go on with fails, says why, and can be asked for again', async ({ page }) => {
  test.slow();
  const data = await temporaryFolder();
  const first = await startDemo({ data: data.path, env: DEMO_ENV });
  const chat = await openInMidAnswer(page, first.url, QUESTION);
  await first.crash();

  // Nothing listens there: it is asked for nothing.
  const model = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', OPENAI_MODEL: 'tiny' };
  const second = await startDemo({ data: data.path, port: first.port, env: { ...DEMO_ENV, ...model } });
  expect(await chat.ended('failed')).toContain('Apple trees are pruned');
  await expect(chat.answer.getByTestId('status')).toContainText('CANNOT_CONTINUE');
  await expect(chat.answer).toContainText(/stopped in the middle of this answer by “Extracts”/);
  await second.stop();

  const third = await startDemo({ data: data.path, port: first.port, env: DEMO_ENV });
  await chat.page.reload();
  await expect(chat.answer).toHaveAttribute('data-status', 'failed');
  await chat.answer.getByRole('button', { name: 'Try again' }).click();
  expect(await chat.ended('completed')).toContain('blue ribbon');
  await third.stop();
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
