import { expect, test } from '../support/test.ts';

const QUESTION = 'How is the cider pressed?';

test('a reload in mid-answer loses and doubles nothing', async ({ chat, openTab }) => {
  test.slow();
  const undisturbed = await openTab();
  await undisturbed.open();
  await undisturbed.ask(QUESTION);
  const expected = await undisturbed.ended('completed');

  await chat.ask(QUESTION);
  for (const words of [4, 9, 14]) {
    await chat.reachWords(words);
    await expect(chat.answer).not.toHaveAttribute('data-status', 'completed');
    await chat.page.reload();
    await expect(chat.answers).toHaveCount(1);
  }
  expect(await chat.ended('completed')).toBe(expected);
});

test('leaving in mid-answer and coming back later shows the whole answer', async ({ chat }) => {
  test.slow();
  await chat.ask(QUESTION);
  await chat.reachWords(5);
  const url = chat.page.url();
  await chat.page.goto('about:blank');
  await chat.page.goto(url);
  expect(await chat.ended('completed')).toContain('oak barrels');
});
