import { AxeBuilder } from '@axe-core/playwright';

import type { ChatPage } from '../support/chat-page.ts';
import { expect, QUICK, test } from '../support/test.ts';

async function seriousFaults(chat: ChatPage): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: chat.page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test.use({ pace: QUICK });

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['narrow', { width: 390, height: 844 }],
  ] as const) {
    test.describe(`${colorScheme}, ${name}`, () => {
      test.use({ colorScheme, viewport });
      test('axe finds no serious fault in any state, and nothing scrolls sideways', async ({ chat }) => {
        test.slow();
        expect(await seriousFaults(chat)).toEqual([]);
        await chat.ask('How is the cider pressed?');
        await chat.reachWords(5);
        expect(await seriousFaults(chat)).toEqual([]);
        await chat.ended('completed');
        expect(await seriousFaults(chat)).toEqual([]);
        const overflow = await chat.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
      });
    });
  }
}

test('reading back is not interrupted by new words', async ({ chat }) => {
  test.slow();
  await chat.page.setViewportSize({ width: 800, height: 420 });
  await chat.ask('When are the apple trees pruned?');
  await chat.ended('completed');
  await chat.ask('How is the cider pressed?');
  await chat.reachWords(5);
  await chat.page.mouse.move(500, 150);
  await chat.page.mouse.wheel(0, -600);
  const jump = chat.page.getByRole('button', { name: 'Jump to latest' });
  await expect(jump).toBeVisible();
  const first = chat.answers.first();
  const before = await first.boundingBox();
  await chat.ended('completed');
  expect(Math.abs(((await first.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(4);
  await jump.click();
  await expect(jump).toBeHidden();
});
