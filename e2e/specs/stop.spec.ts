import { followInSecondTab } from '../support/chat-page.ts';
import { expect, SLOW, test } from '../support/test.ts';

test.use({ pace: SLOW });

test('Stop in one tab stops the answer in the other, for good', async ({ chat, openTab }) => {
  test.slow();
  const second = await followInSecondTab(chat, openTab);
  await second.stop.click();
  const texts = await Promise.all([chat.ended('cancelled'), second.ended('cancelled')]);
  expect(texts[0]).toBe(texts[1]);
  await expect(chat.answer.getByTestId('status')).toContainText(/stopped/i);
  await chat.page.reload();
  expect(await chat.ended('cancelled')).toBe(texts[0]);
});

test('the keyboard is enough: focus, new line, send, stop', async ({ chat }) => {
  await chat.page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await chat.page.keyboard.press('/');
  await expect(chat.message).toBeFocused();
  await chat.page.keyboard.type('When are the');
  await chat.page.keyboard.press('Shift+Enter');
  await chat.page.keyboard.type('apple trees pruned?');
  await expect(chat.message).toHaveValue('When are the\napple trees pruned?');
  await chat.page.keyboard.press('Enter');
  await expect(chat.answers).toHaveCount(1);
  await chat.reachWords(5);
  await chat.page.keyboard.press('Escape');
  await chat.ended('cancelled');
});
