import { InvalidArgumentError, type StreamWriteError, type StreamWriter } from '@perennial/core';

import type { MakeStream } from './options.ts';

/** UTF-16 code units that may gather before the source has to wait, so that memory stays bounded. */
const GATHERED = 65_536;

/**
 * Writes the text of a source to its end, or until the writer's signal fires; then the source is cancelled. What arrives while a write is
 * under way goes into the next one, so that a fast source costs a few large records, and a slow one waits for nothing.
 *
 * @throws What the source failed with, once all that it gave before is stored, or the failure of the writer.
 */
export async function keepText(makeStream: MakeStream, writer: StreamWriter<Uint8Array>): Promise<void> {
  const { signal } = writer;
  // Fires after the source was made, also where a stop came before: who listens to it hears of every one.
  const stopping = new AbortController();
  const reader = makeStream(stopping.signal).getReader();
  // Not waited for: one half of a `tee()` counts as cancelled only once the other half is.
  const cancel = (reason: unknown): void => void reader.cancel(reason).catch(() => undefined);
  const stop = (): void => {
    stopping.abort(signal.reason);
    cancel(signal.reason);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const gathering = new Gathering(writer, cancel);
  try {
    for (let next = await reader.read(); !next.done && !signal.aborted; next = await reader.read())
      await gathering.add(next.value);
  } catch (error) {
    cancel(error);
    await gathering.finish().catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  await gathering.finish();
}

class Gathering {
  readonly #writer: StreamWriter<Uint8Array>;
  readonly #onFailure: (failure: StreamWriteError) => void;
  readonly #encoder = new TextEncoder();
  #text = '';
  #isWriting = false;
  #writing: Promise<StreamWriteError | null> = Promise.resolve(null);
  #failure: StreamWriteError | null = null;

  /** @param onFailure Is told when nothing more can be stored. */
  constructor(writer: StreamWriter<Uint8Array>, onFailure: (failure: StreamWriteError) => void) {
    this.#writer = writer;
    this.#onFailure = onFailure;
  }

  /** Resolves at once while there is room. */
  async add(text: string): Promise<void> {
    if (typeof text !== 'string')
      throw new InvalidArgumentError('makeStream', `The stream must give strings; got ${typeof text}.`);
    if (this.#failure) throw this.#failure;
    this.#text += text;
    if (!this.#isWriting) this.#writing = this.#write(false);
    if (this.#text.length >= GATHERED) await this.#written();
  }

  /** Resolves once all is stored. */
  async finish(): Promise<void> {
    await this.#written();
    this.#writing = this.#write(true);
    await this.#written();
  }

  async #written(): Promise<void> {
    const failure = await this.#writing;
    if (failure) throw failure;
  }

  async #write(isLast: boolean): Promise<StreamWriteError | null> {
    this.#isWriting = true;
    for (let text = this.#take(isLast); text !== ''; text = this.#take(isLast)) {
      const written = await this.#writer.write(this.#encoder.encode(text));
      const flushed = written.ok ? await this.#writer.flush() : written;
      if (flushed.ok) continue;
      this.#failure = flushed.error;
      this.#onFailure(flushed.error);
      return flushed.error;
    }
    this.#isWriting = false;
    return null;
  }

  /** What can be stored: not the first half of a character whose second half may be still to come. */
  #take(isLast: boolean): string {
    const { length } = this.#text;
    const end = !isLast && isHighSurrogate(this.#text.charCodeAt(length - 1)) ? length - 1 : length;
    const text = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    return text;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
