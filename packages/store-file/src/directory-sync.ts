import { type FileSystem, syncDirectory } from './file-system.ts';

/**
 * Makes a sync of one folder that callers share: whoever asks while one is running waits for the next, together with all others who do.
 */
export function createDirectorySync(fs: FileSystem, path: string): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function start(): Promise<void> {
    running = syncDirectory(fs, path).finally(() => {
      running = null;
    });
    return running;
  }

  return () => {
    if (!running) return start();
    // The one that runs may have looked at the folder before the caller changed it.
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return start();
      });
    return next;
  };
}
