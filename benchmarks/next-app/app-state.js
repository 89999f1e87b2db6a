/** What the routes share. Next loads a module several times in one process. */
import { createMemoryStreamStore } from '@perennial/core';

const key = Symbol.for('perennial.benchmark');

export const appState = () =>
  (globalThis[key] ??= { store: createMemoryStreamStore(), readers: new Set(), position: 0 });
