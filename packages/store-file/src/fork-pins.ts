import { join } from 'node:path';

import type { ForkPin } from '@perennial/core';

import { sealJson, unsealJson } from './checksum.ts';
import { type FileSystem, listIfPresent, readIfPresent, replaceFile } from './file-system.ts';
import { encodeStreamId } from './stream-name.ts';

/** A pin is a file in the folder of the source, so that it goes with the folder; these begin with it. */
const PIN_PREFIX = 'fork-';

/** Files that were never finished have other endings. */
const PIN_NAME = /^fork-[sh]-[^.]*$/;

/** True when a fork's pin is among the names in a stream's folder. */
export function isPinned(names: readonly string[]): boolean {
  return names.some((name) => PIN_NAME.test(name));
}

/** Makes a pin; it is in the folder as a whole or not at all, and with `sync` durable when this resolves. */
export async function writePin(fs: FileSystem, folder: string, pin: ForkPin, sync: boolean): Promise<void> {
  await replaceFile(fs, pinPath(folder, pin.incarnation), sealJson(pin), { sync });
}

/** Removes the pin of a fork, if it is there. One that comes back after a power cut is a pin without a fork. */
export async function removePin(fs: FileSystem, folder: string, forkIncarnation: string): Promise<void> {
  await fs.rm(pinPath(folder, forkIncarnation), { force: true });
}

/** The pins in a stream's folder. A damaged one cannot be told from one that counts: it stays, and nothing is returned for it. */
export async function readPins(fs: FileSystem, folder: string): Promise<readonly ForkPin[]> {
  const pins: ForkPin[] = [];
  for (const name of await listIfPresent(fs, folder)) {
    if (!PIN_NAME.test(name)) continue;
    const bytes = await readIfPresent(fs, join(folder, name));
    const value = bytes && unsealJson(bytes);
    // The checksum has vouched for the content.
    if (typeof value === 'object' && value !== null) pins.push(value as ForkPin);
  }
  return pins;
}

function pinPath(folder: string, forkIncarnation: string): string {
  return join(folder, PIN_PREFIX + encodeStreamId(forkIncarnation));
}
