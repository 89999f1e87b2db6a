import { expect, QUICK, test } from '../support/test.ts';

test.use({ pace: QUICK });

test('a question gets a cited answer with its sources', async ({ chat }) => {
  await chat.ask('When are the apple trees pruned?');
  const text = await chat.ended('completed');
  expect(text).toContain('late winter');
  expect(text).toMatch(/\[?1\]?/);
  await expect(chat.answer.getByText('Sources').first()).toBeVisible();
  await expect(chat.answer.getByText('When are the apple trees pruned?').first()).toBeVisible();
  await expect(chat.page.getByText(/offline/i).first()).toBeVisible();
});

test('a question that the documents do not answer is told so', async ({ chat }) => {
  await chat.ask('qwertyuiop zxcvbnm');
  await chat.ended('completed');
  await expect(chat.text).toContainText(/no(thing| passage| match)|could not|not find|don.t/i);
});

test('conversations are listed, survive a reload, and go on', async ({ chat }) => {
  test.slow();
  await chat.ask('Where do the hives stand?');
  const first = await chat.ended('completed');
  await chat.page.reload();
  await expect(chat.answers).toHaveCount(1);
  expect(await chat.ended('completed')).toBe(first);
  await chat.ask('When is honey harvested?');
  await chat.ended('completed');
  await expect(chat.answers).toHaveCount(2);
  const list = chat.page.getByRole('navigation', { name: 'Conversations' });
  await expect(list.getByRole('link', { name: /hives/i }).first()).toBeVisible();
  await chat.page
    .getByRole('link', { name: 'New chat' })
    .or(chat.page.getByRole('button', { name: 'New chat' }))
    .first()
    .click();
  await expect(chat.answers).toHaveCount(0);
  await list.getByRole('link', { name: /hives/i }).first().click();
  await expect(chat.answers).toHaveCount(2);
});

test('a message is sent once, however often Enter is pressed', async ({ chat }) => {
  await chat.message.fill('Who waters the saplings?');
  await Promise.all([chat.message.press('Enter'), chat.message.press('Enter'), chat.message.press('Enter')]);
  await chat.ended('completed');
  await expect(chat.answers).toHaveCount(1);
});

test.describe('an unknown chat', () => {
  test.use({ allowedErrors: [/404/] });
  test('says so', async ({ chat }) => {
    await chat.page.goto(new URL('/c/does-not-exist', chat.page.url()).href);
    await expect(chat.page.getByText(/not found|does not exist|no such/i).first()).toBeVisible();
  });
});
