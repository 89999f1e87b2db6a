import { realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';

import { PublicError } from '@perennial/core';

/** The folder below which folders may be imported by path. */
export class ImportFolder {
  readonly #root: string | null;

  constructor(root: string | null) {
    this.#root = root;
  }

  /**
   * Checks a path that somebody typed, absolute or relative to the root.
   *
   * @returns The path relative to the root; `''` is the root itself.
   * @throws `PublicError` `INVALID_REQUEST` when there is no such folder, or it may not be imported.
   */
  async check(path: string): Promise<string> {
    const root = this.#require();
    const wanted = await realpath(resolve(/* turbopackIgnore: true */ root, path)).catch(() => null);
    const info = wanted === null ? null : await stat(wanted).catch(() => null);
    if (wanted === null || !info?.isDirectory())
      throw new PublicError('INVALID_REQUEST', `There is no folder “${path}”.`);
    const inside = relative(await realpath(root), wanted);
    if (isAbsolute(inside) || inside.split(sep)[0] === '..')
      throw new PublicError('INVALID_REQUEST', `“${path}” is outside of the folder that imports may come from.`);
    return inside.split(sep).join('/');
  }

  /** A short name of a folder that {@link check} returned. */
  labelOf(folder: string): string {
    return basename(folder === '' ? this.#require() : folder);
  }

  /** Where files lie; for files that were sent, a place that is never looked at. */
  async baseOf(folder: string | null): Promise<string> {
    if (folder === null) return '/';
    return resolve(/* turbopackIgnore: true */ this.#require(), await this.check(folder === '' ? '.' : folder));
  }

  #require(): string {
    if (this.#root !== null) return this.#root;
    throw new PublicError(
      'INVALID_REQUEST',
      'This server imports no folders by path. Send the files, or start it with PERENNIAL_IMPORT_ROOT.',
    );
  }
}
