import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';

import { ChatPage } from '../support/chat-page.ts';
import { KnowledgePage } from '../support/knowledge-page.ts';
import { startDemo } from '../support/start-demo.ts';
import { DEMO_ENV, expect, temporaryFolder, test } from '../support/test.ts';

/** Several hundred Markdown files that people wrote for people: the documentation that an installed package brings along. */
const REAL_DOCUMENTS = join(import.meta.dirname, '..', '..', 'node_modules', 'next', 'dist', 'docs');

async function countMarkdown(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.mdx?$/.test(name)).length;
}

/** A folder with two documents and one of each kind of bad file. */
async function mixedFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(
    join(folder, 'lighthouse.md'),
    '# The lighthouse\n\n## Who lights the lamp?\n\nThe keeper lights the lamp of the lighthouse at dusk, with a long match.\n',
  );
  await writeFile(join(folder, 'deep', 'fog.md'), '# Fog\n\nIn fog the keeper sounds the horn every two minutes.\n');
  await writeFile(join(folder, 'binary.md'), Buffer.from([0x23, 0, 1, 2, 3]));
  await writeFile(join(folder, 'latin1.md'), Buffer.from('# Caf\xe9\n', 'latin1'));
  await writeFile(join(folder, 'huge.md'), Buffer.alloc(2 * 1024 * 1024 + 1, 'x'));
  await writeFile(join(folder, 'empty.md'), '');
  await writeFile(join(folder, 'photo.png'), Buffer.from([0x89, 0x50]));
  return folder;
}

test('a folder of several hundred real documents is imported live, survives kill -9, and answers come from it', async ({
  page,
}) => {
  test.setTimeout(240_000);
  const expected = await countMarkdown(REAL_DOCUMENTS);
  expect(expected).toBeGreaterThan(300);
  const data = await temporaryFolder();
  const env = { ...DEMO_ENV, PERENNIAL_DEMO_PACE: '0', PERENNIAL_IMPORT_ROOT: join(REAL_DOCUMENTS, '..') };
  // Slow enough to be seen, and to be killed in the middle on any machine.
  const first = await startDemo({ data: data.path, env: { ...env, PERENNIAL_DEMO_IMPORT_PACE: '60' } });
  const knowledge = new KnowledgePage(page, first.url);
  await knowledge.open();
  await knowledge.importFolder('docs');

  // Each step is shown while it works, and the server dies when passages have been stored.
  const card = knowledge.source('docs');
  await expect(card.getByRole('progressbar')).toBeVisible();
  await expect.poll(() => knowledge.emitted('docs', 'store'), { intervals: [20], timeout: 60_000 }).toBeGreaterThan(10);
  await expect(card).toContainText(new RegExp(`of ${expected} files`));
  await first.crash();
  await expect(card.getByTestId('status')).toHaveText('Reconnecting', { timeout: 20_000 });
  // Nobody is there to stop it, which a button that does nothing would not tell.
  await card.getByRole('button', { name: 'Stop' }).click();
  await expect(card.getByRole('alert')).toContainText('Not stopped.');

  const second = await startDemo({ data: data.path, port: first.port, env });
  const summary = await knowledge.finished('docs', 150_000);
  await card.getByText('Steps').click();
  await expect(card.locator('[data-step="store"]')).toBeVisible();
  // The second server did not do the work of the first one again.
  const read = await knowledge.emitted('docs', 'read');
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(expected);
  const skipped = Number(/(\d+) files? skipped/.exec(await card.innerText())?.[1] ?? 0);
  expect(Number(/\d+/.exec(summary)?.[0]) + skipped).toBe(expected);

  const chat = new ChatPage(page, second.url);
  await chat.open();
  await chat.ask('How do I use generateMetadata?');
  expect(await chat.ended('completed')).toMatch(/metadata/i);
  await second.stop();
  await data.remove();
});

test('a folder of one’s own is sent from the browser; bad files are skipped and listed', async ({ openTab, demo }) => {
  const files = await temporaryFolder();
  const { page } = await openTab();
  const knowledge = new KnowledgePage(page, demo.url);
  await knowledge.open();
  await knowledge.sendFolder(await mixedFolder(files.path, 'mixed'));
  expect(await knowledge.finished('mixed')).toMatch(/^2 documents, 2 passages\.$/);
  expect(await knowledge.skipped('mixed')).toEqual([
    '“binary.md” is not text.',
    '“empty.md” has no text in it.',
    '“huge.md” is larger than 2 MB.',
    '“latin1.md” is not UTF-8 text.',
  ]);

  const chat = new ChatPage(page, demo.url);
  await chat.open();
  await chat.ask('Who lights the lamp of the lighthouse?');
  expect(await chat.ended('completed')).toContain('at dusk');

  // Removed, it is gone from the answers too.
  await knowledge.open();
  await knowledge.source('mixed').getByRole('button', { name: 'Remove “mixed”' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(knowledge.source('mixed')).toHaveCount(0);
  await chat.open();
  await chat.ask('Who lights the lamp of the lighthouse?');
  expect(await chat.ended('completed')).not.toContain('at dusk');
  await files.remove();
});

test('files can be dropped on the page', async ({ openTab, demo }) => {
  const { page } = await openTab();
  const knowledge = new KnowledgePage(page, demo.url);
  await knowledge.open();
  const transfer = await page.evaluateHandle(() => {
    const dropped = new DataTransfer();
    dropped.items.add(new File(['# Harbour\n\nThe harbour opens at six in the morning.\n'], 'harbour.md'));
    return dropped;
  });
  await page.getByTestId('drop-zone').dispatchEvent('drop', { dataTransfer: transfer });
  expect(await knowledge.finished('harbour.md')).toBe('1 document, 1 passage.');
  await knowledge
    .source('harbour.md')
    .getByRole('button', { name: /Remove/ })
    .click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(knowledge.source('harbour.md')).toHaveCount(0);
});

test('an import shows in every tab, and can be stopped and continued', async ({ openTab, demo }) => {
  test.setTimeout(240_000);
  const expected = await countMarkdown(REAL_DOCUMENTS);
  const one = new KnowledgePage((await openTab()).page, demo.url);
  const two = new KnowledgePage((await openTab()).page, demo.url);
  await one.open();
  await two.open();
  await one.sendFolder(REAL_DOCUMENTS);
  await one.source('docs').getByRole('button', { name: 'Stop' }).click({ timeout: 60_000 });
  await expect(one.source('docs').getByTestId('status')).toHaveText('Stopped', { timeout: 60_000 });
  // The other page was there before anything was ever imported: it learns of it when it is asked for again.
  await two.open();
  await two.source('docs').getByRole('button', { name: 'Go on' }).click();
  await expect(one.source('docs').getByRole('progressbar')).toBeVisible();
  for (const { source, finished } of [one, two].map((page) => ({
    source: page.source('docs'),
    finished: page.finished('docs', 150_000),
  }))) {
    const documents = Number(/\d+/.exec(await finished)?.[0]);
    const skipped = Number(/(\d+) files? skipped/.exec(await source.innerText())?.[1] ?? 0);
    expect(documents + skipped).toBe(expected);
  }
  await one.source('docs').getByRole('button', { name: 'Remove “docs”' }).click();
  await one.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(two.source('docs')).toHaveCount(0);
});

test('says what is wrong with a choice', async ({ page }) => {
  const files = await temporaryFolder();
  await mkdir(join(files.path, 'nothing'));
  await writeFile(join(files.path, 'nothing', 'data.csv'), 'a,b');
  await symlink('/etc', join(files.path, 'elsewhere'));
  const data = await temporaryFolder();
  const demo = await startDemo({ data: data.path, env: { ...DEMO_ENV, PERENNIAL_IMPORT_ROOT: files.path } });
  const knowledge = new KnowledgePage(page, demo.url);
  await knowledge.open();
  const alert = page.getByRole('alert').filter({ hasText: /.+/ });
  await knowledge.sendFolder(join(files.path, 'nothing'));
  await expect(alert).toContainText('There are no Markdown files in “nothing”.');
  await knowledge.importFolder('missing');
  await expect(alert).toContainText('There is no folder “missing”.');
  await knowledge.importFolder('elsewhere');
  await expect(alert).toContainText('outside of the folder');
  await demo.stop();
  await knowledge.sendFiles(join(files.path, 'nothing', 'data.csv'));
  await expect(alert).toContainText('The server cannot be reached.');
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  await files.remove();
  await data.remove();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['narrow', { width: 390, height: 844 }],
  ] as const) {
    test.describe(`${colorScheme}, ${name}`, () => {
      test.use({ colorScheme, viewport });
      test('axe finds no serious fault on the knowledge page, and nothing scrolls sideways', async ({
        openTab,
        demo,
      }) => {
        const files = await temporaryFolder();
        const { page } = await openTab();
        const knowledge = new KnowledgePage(page, demo.url);
        await knowledge.open();
        const faults = async (): Promise<string[]> => {
          const { violations } = await new AxeBuilder({ page }).analyze();
          return violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
        };
        expect(await faults()).toEqual([]);
        const card = knowledge.source(`${colorScheme} ${name}`);
        await knowledge.sendFolder(await mixedFolder(files.path, `${colorScheme} ${name}`));
        await expect(card.getByTestId('status')).toHaveText('Done');
        await card.getByText(/^\d+ files skipped$/).click();
        await card.getByText('Steps').click();
        await expect(card.locator('[data-step="store"]')).toBeVisible();
        expect(await faults()).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
        await card.getByRole('button', { name: /Remove/ }).click();
        await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
        await files.remove();
      });
    });
  }
}
