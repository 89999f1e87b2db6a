import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';

import type { ChatPage } from '../support/chat-page.ts';
import { expect, test } from '../support/test.ts';

const QUESTION = 'How is the cider pressed?';
const MEMBERS = ['Researcher', 'Analyst', 'Writer'] as const;

async function askTeam(chat: ChatPage): Promise<void> {
  await chat.page.getByRole('button', { name: 'Team' }).click();
  await expect(chat.page.getByRole('button', { name: 'Team' })).toHaveAttribute('aria-pressed', 'true');
  await chat.ask(QUESTION);
}

/** What one actor contributed to the last answer, by its label. */
function contribution(chat: ChatPage, member: (typeof MEMBERS)[number]): Locator {
  return chat.answer.getByRole('region', { name: `${member}: ${QUESTION}` });
}

/** The texts of all actors, once the answer is there. */
async function finished(chat: ChatPage): Promise<string[]> {
  await chat.ended('completed', 120_000);
  for (const member of MEMBERS) await expect(contribution(chat, member)).toHaveAttribute('data-state', 'done');
  return Promise.all(MEMBERS.map((member) => contribution(chat, member).innerText()));
}

async function faults(chat: ChatPage): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: chat.page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test('three actors contribute one after the other, and a reload in the middle changes nothing', async ({
  chat,
  openTab,
}) => {
  test.setTimeout(240_000);
  const undisturbed = await openTab();
  await undisturbed.open();
  await askTeam(undisturbed);

  // Looked for from the beginning: on a busy machine the first is done soon after it can be seen.
  const working = expect(contribution(chat, 'Researcher')).toHaveAttribute('data-state', 'working');
  await Promise.all([working, askTeam(chat)]);
  await expect(contribution(chat, 'Researcher')).toContainText('passage');
  await expect(contribution(chat, 'Writer')).toHaveAttribute('data-state', 'waiting');
  for (const member of ['Analyst', 'Writer'] as const) {
    await expect(contribution(chat, member)).toHaveAttribute('data-state', 'working', { timeout: 60_000 });
    await chat.page.reload();
    await expect(chat.answer).not.toHaveAttribute('data-status', 'completed');
    await expect(contribution(chat, 'Researcher')).toHaveAttribute('data-state', 'done');
  }
  const [research = '', analysis = '', answer = ''] = await finished(chat);
  expect(research).toContain('orchard.md, line');
  expect(analysis).toMatch(/\d+ of \d+ sentences/);
  expect(answer).toContain('oak barrels');
  expect([research, analysis, answer]).toEqual(await finished(undisturbed));

  // From the server's HTML, and cited as other answers are.
  await chat.page.reload();
  expect(await finished(chat)).toEqual([research, analysis, answer]);
  await contribution(chat, 'Analyst').getByRole('button').first().click();
  await expect(chat.page.getByRole('dialog')).toContainText('orchard.md');
});

test('the keyboard chooses the team, and Stop ends its work', async ({ chat }) => {
  test.slow();
  await chat.message.fill(QUESTION);
  await chat.page.keyboard.press('Tab');
  await expect(chat.page.getByRole('button', { name: 'Team' })).toBeFocused();
  await chat.page.keyboard.press('Space');
  await chat.message.press('Enter');
  await expect(chat.answers).toHaveCount(1);
  await expect(contribution(chat, 'Researcher')).toContainText('passage');
  await expect(chat.page).toHaveURL(/\/c\/[^/]+$/, { timeout: 40_000 });
  await chat.page.keyboard.press('Escape');
  await expect(chat.answer).toHaveAttribute('data-status', 'cancelled');
  // Who was at work by then depends on the machine; the writer, who comes last, was not done.
  await expect(contribution(chat, 'Writer')).toHaveAttribute('data-state', 'stopped');
  // The next question of this conversation is the team's, too, unless it is told otherwise.
  await chat.page.reload();
  await expect(chat.page.getByRole('button', { name: 'Team' })).toHaveAttribute('aria-pressed', 'true');
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
  ]) {
    test.describe(`${colorScheme}, ${viewport.width} wide`, () => {
      test.use({ colorScheme, viewport });
      test('axe finds no fault while the team works and after it, and nothing scrolls sideways', async ({ chat }) => {
        test.setTimeout(180_000);
        await askTeam(chat);
        await expect(contribution(chat, 'Analyst')).toHaveAttribute('data-state', 'working', { timeout: 60_000 });
        expect(await faults(chat)).toEqual([]);
        await finished(chat);
        expect(await faults(chat)).toEqual([]);
        const overflow = await chat.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
      });
    });
  }
}
