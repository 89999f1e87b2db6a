import { expect, type Locator, type Page } from '@playwright/test';

/** The chat as a person uses it: by labels and roles, never by markup. */
export class ChatPage {
  readonly page: Page;
  readonly #base: string;

  constructor(page: Page, base: string) {
    this.page = page;
    this.#base = base;
  }

  get message(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  get stop(): Locator {
    return this.page.getByRole('button', { name: 'Stop' });
  }

  get answers(): Locator {
    return this.page.locator('[data-testid="message"][data-role="assistant"]');
  }

  /** The last answer's article; its `data-status` carries the stream's state or end. */
  get answer(): Locator {
    return this.answers.last();
  }

  get text(): Locator {
    return this.answer.getByTestId('answer');
  }

  async open(path = '/'): Promise<void> {
    await this.page.goto(new URL(path, this.#base).href);
    await expect(this.message).toBeEditable();
  }

  /** Sends a question and waits until its answer appears. */
  async ask(question: string): Promise<void> {
    const before = await this.answers.count();
    await this.message.fill(question);
    await this.message.press('Enter');
    await expect(this.answers).toHaveCount(before + 1);
    await expect(this.page).toHaveURL(/\/c\/[^/]+$/, { timeout: 40_000 });
  }

  /** Waits until the last answer has so many words, which proves that it is streaming. */
  async reachWords(count: number): Promise<void> {
    await expect.poll(() => this.words(), { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
  }

  async words(): Promise<number> {
    const text = (await this.text.textContent()) ?? '';
    return text.split(/\s+/).filter(Boolean).length;
  }

  /** Waits for the end of the last answer, whatever it is, and returns it. */
  async ended(status: 'completed' | 'failed' | 'cancelled', timeout = 60_000): Promise<string> {
    await expect(this.answer).toHaveAttribute('data-status', status, { timeout });
    return this.finalText();
  }

  /** The text of the last answer once rendering has caught up with the stream. */
  async finalText(): Promise<string> {
    let text = '';
    await expect
      .poll(async () => {
        const before = text;
        text = (await this.text.innerText()).trim();
        return text !== '' && text === before;
      })
      .toBe(true);
    return text;
  }
}

/** Opens the demo at `url`, asks, and waits until the answer has some words and goes on. */
export async function openInMidAnswer(page: Page, url: string, question: string, words = 10): Promise<ChatPage> {
  const chat = new ChatPage(page, url);
  await chat.open();
  await chat.ask(question);
  await chat.reachWords(words);
  return chat;
}

/** Asks in one tab and follows the answer in another, until both are in the middle of it. */
export async function followInSecondTab(chat: ChatPage, openTab: () => Promise<ChatPage>): Promise<ChatPage> {
  await chat.ask('When are the apple trees pruned?');
  await chat.reachWords(5);
  const second = await openTab();
  await second.open(new URL(chat.page.url()).pathname);
  await second.reachWords(5);
  return second;
}
