import { dirname, join } from 'node:path';

import { isMissing, listIfPresent, syncDirectory } from './file-system.ts';
import { isPinned } from './fork-pins.ts';
import { retainedFolder } from './layout.ts';
import type { StoreContext } from './store-context.ts';

/** The folders of a directory: made with the first mutation, and moved out of the way one by one as streams go. */
export class StreamFolders {
  readonly #context: StoreContext;
  readonly #syncNames: () => Promise<void>;
  readonly #removing = new Set<Promise<void>>();

  /** @param syncNames Makes the names in the folder of streams durable. */
  constructor(context: StoreContext, syncNames: () => Promise<void>) {
    this.#context = context;
    this.#syncNames = syncNames;
  }

  /** Makes those that are missing. */
  async make(): Promise<void> {
    const { fs, layout } = this.#context;
    const first = await fs.mkdir(layout.root, { recursive: true });
    for (const folder of [layout.streams, layout.making, layout.retained, layout.trash])
      await fs.mkdir(folder, { recursive: true });
    await syncDirectory(fs, layout.root);
    // Each folder that was made is an entry in the one above it.
    for (let made = first && layout.root; made && made.length >= (first?.length ?? 0); made = dirname(made))
      await syncDirectory(fs, dirname(made));
  }

  /** Removes what the last owner was making or deleting when it died. */
  async removeLeftovers(): Promise<void> {
    const { fs, layout } = this.#context;
    for (const folder of [layout.making, layout.trash]) {
      for (const name of await listIfPresent(fs, folder)) this.#removeLater(join(folder, name));
    }
  }

  /** See `StreamHost.discard`. */
  async discard({ id, folder }: { readonly id: string; readonly folder: string }): Promise<boolean> {
    const { fs, layout, options } = this.#context;
    if (!isPinned(await listIfPresent(fs, folder))) {
      await this.trash(folder);
      return false;
    }
    await this.#move(folder, retainedFolder(layout, id));
    if (options.durability === 'disk') await syncDirectory(fs, layout.retained);
    return true;
  }

  /** Deletes a folder: at once for everybody who looks, its files at leisure. */
  async trash(folder: string): Promise<void> {
    const trashed = join(this.#context.layout.trash, crypto.randomUUID());
    if (await this.#move(folder, trashed)) this.#removeLater(trashed);
  }

  /** Resolves once no files are being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing);
  }

  /** Moves a folder and makes that durable; false when there is none. */
  async #move(folder: string, to: string): Promise<boolean> {
    const { fs, lock, options } = this.#context;
    try {
      await fs.rename(folder, to);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    try {
      if (options.durability === 'disk') await this.#syncNames();
      await lock.check();
    } catch (error) {
      // A deletion that is refused must not have happened. Without the lock, the name may be another's by now.
      if (lock.held) await fs.rename(to, folder).catch(() => undefined);
      throw error;
    }
    return true;
  }

  #removeLater(path: string): void {
    const removal = this.#context.fs
      .rm(path, { recursive: true, force: true })
      // The next owner of the lock tries again.
      .catch(() => undefined)
      .finally(() => this.#removing.delete(removal));
    this.#removing.add(removal);
  }
}
