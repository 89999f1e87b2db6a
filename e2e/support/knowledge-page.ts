import { expect, type Locator, type Page } from '@playwright/test';

/** The page of the knowledge base as a person uses it. */
export class KnowledgePage {
  readonly page: Page;
  readonly #base: string;

  constructor(page: Page, base: string) {
    this.page = page;
    this.#base = base;
  }

  async open(): Promise<void> {
    await this.page.goto(new URL('/knowledge', this.#base).href);
    await expect(this.page.getByRole('heading', { name: 'Knowledge', level: 1 })).toBeVisible();
    // A choice made before the page is alive would be lost, and a test is faster than any person.
    await this.page.waitForFunction(() =>
      Object.keys(document.querySelector('input[type=file]') ?? {}).some((key) => key.startsWith('__react')),
    );
  }

  /** The card of one place that documents come from. */
  source(name: string): Locator {
    return this.page.getByRole('listitem', { name, exact: true });
  }

  async sendFolder(path: string): Promise<void> {
    await this.page.getByLabel('Folder to import').setInputFiles(path);
  }

  async sendFiles(...paths: string[]): Promise<void> {
    await this.page.getByLabel('Files to import').setInputFiles(paths);
  }

  async importFolder(path: string): Promise<void> {
    await this.page.getByLabel('Or a folder on the server').fill(path);
    await this.page.getByRole('button', { name: 'Import', exact: true }).click();
  }

  /** Waits until an import is finished, and returns what it came to. */
  async finished(name: string, timeout = 120_000): Promise<string> {
    const card = this.source(name);
    await expect(card.getByTestId('status')).toHaveText('Done', { timeout });
    return card.getByText(/\d+ documents?, [\d,]+ passages?\.$/).innerText();
  }

  /** What a step of a running import has put out so far; 0 while it is not shown. */
  async emitted(name: string, step: string): Promise<number> {
    const cell = this.source(name).locator(`[data-step="${step}"] td`).nth(1);
    const text = (await cell.count()) === 0 ? '' : ((await cell.first().textContent()) ?? '');
    return Number(/[\d,]+/.exec(text)?.[0].replaceAll(',', '') ?? 0);
  }

  /** The reasons in the list of skipped files, opened. */
  async skipped(name: string): Promise<string[]> {
    const card = this.source(name);
    await card.getByText(/^\d+ files? skipped$/).click();
    return card.getByRole('list', { name: 'Skipped files' }).getByRole('listitem').allInnerTexts();
  }
}
