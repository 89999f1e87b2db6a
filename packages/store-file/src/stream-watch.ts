import type { FileSystem } from './file-system.ts';

/** Options of {@link watchStream}. */
export interface StreamWatchOptions {
  readonly fs: FileSystem;
  readonly folder: string;
  /** Mean time between two looks without a notification, in ms. */
  readonly pollIntervalMs: number;
  /** Called with the name of the file that changed, or null when anything may have. */
  readonly onNews: (file: string | null) => void;
}

/**
 * Watches the folder of a stream until it is stopped: notifications of the operating system, and a slow poll in case they fail or run
 * out (the number of watches is limited). Polls are jittered, so that many readers do not look at the same moment.
 */
export function watchStream({ fs, folder, pollIntervalMs, onNews }: StreamWatchOptions): { stop(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function listen(): Promise<void> {
    try {
      for await (const { filename } of fs.watch(folder, { signal })) onNews(filename);
    } catch {
      // Aborted, or no notifications to be had: the poll goes on.
    }
  }

  function poll(): void {
    timer = setTimeout(
      () => {
        onNews(null);
        poll();
      },
      pollIntervalMs * (0.75 + Math.random() / 2),
    );
  }

  void listen();
  poll();
  return {
    stop() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
