import { followInSecondTab } from '../support/chat-page.ts';
import { expect, test } from '../support/test.ts';

test('two tabs show the same answer while it is written', async ({ chat, openTab }) => {
  test.slow();
  const second = await followInSecondTab(chat, openTab);
  await expect(second.answer).not.toHaveAttribute('data-status', 'completed');
  const texts = await Promise.all([chat.ended('completed'), second.ended('completed')]);
  expect(texts[0]).toBe(texts[1]);
});

test('twenty answers at once all come to their end', async ({ browser, openTab }) => {
  test.slow();
  // Over HTTP/1.1 a browser opens six connections to a host for each of its contexts, and a visible tab holds two while it answers.
  const contexts = await Promise.all(Array.from({ length: 10 }, () => browser.newContext()));
  const tabs = await Promise.all(contexts.flatMap((context) => Array.from({ length: 2 }, () => openTab(context))));
  await Promise.all(
    tabs.map(async (tab) => {
      await tab.open();
      await tab.ask('Who waters the saplings?');
    }),
  );
  const texts = await Promise.all(tabs.map((tab) => tab.ended('completed', 60_000)));
  expect(new Set(texts).size).toBe(1);
  expect(new Set(tabs.map((tab) => tab.page.url())).size).toBe(20);
  await Promise.all(contexts.map((context) => context.close()));
});
