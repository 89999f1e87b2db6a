import { expect, test } from '../support/test.ts';

const QUESTION = 'How is the cider pressed?';

test.use({ allowedErrors: [/ERR_INTERNET_DISCONNECTED|ERR_NETWORK|Failed to fetch|Load failed|network/i] });

test('without a network the tab says so, keeps what it has, and goes on when the network is back', async ({
  chat,
  openTab,
}) => {
  test.slow();
  const undisturbed = await openTab();
  await undisturbed.open();
  await undisturbed.ask(QUESTION);
  const expected = await undisturbed.ended('completed');

  await chat.ask(QUESTION);
  await chat.reachWords(8);
  await chat.page.context().setOffline(true);
  await expect(chat.answer).toHaveAttribute('data-status', 'reconnecting');
  const kept = await chat.words();
  expect(kept).toBeGreaterThanOrEqual(8);
  await chat.page.context().setOffline(false);
  expect(await chat.ended('completed')).toBe(expected);
});
