import { createForks, type ForkPort, type Forks, type RemovedStream } from '@perennial/core';

import { removePin } from './fork-pins.ts';
import { retainedFolder, streamFolder } from './layout.ts';
import { readOrigin, type RetainedStreams } from './retained-streams.ts';
import type { StreamHost } from './store-context.ts';
import { findStream, makeFork, pinStream } from './stream-creation.ts';
import type { Stream } from './stream.ts';

/** What {@link createFileForks} needs from the engine. */
export interface FileForksOptions {
  readonly host: StreamHost;
  readonly retained: RetainedStreams;
  /** Takes the lock. */
  readonly acquire: () => Promise<void>;
  /** Keeps the stream of an id loaded during a call. */
  readonly pinned: <T>(id: string, call: (stream: Stream) => Promise<T>, doing: string) => Promise<T>;
  /** Removes the folder of a retained stream. */
  readonly trash: (folder: string) => Promise<void>;
}

/** The forks of a directory. */
export function createFileForks({ host, retained, acquire, pinned, trash }: FileForksOptions): Forks {
  const { context } = host;
  const { fs, layout, options } = context;
  const port: ForkPort = {
    newIncarnation: options.randomId,
    async find(id, create) {
      await acquire();
      return pinned(id, (stream) => findStream(host, stream, create), 'creating');
    },
    make: (id, create, fork) => pinned(id, (stream) => makeFork(host, stream, { options: create, fork }), 'creating'),
    pin: (id, fork) => pinned(id, (stream) => pinStream(host, stream, fork), 'forking'),
    async unpin({ id }, forkIncarnation) {
      await acquire();
      const take = (stream: Stream): Promise<RemovedStream | null> =>
        stream.alone(async () => {
          await context.lock.check();
          const folder = retainedFolder(layout, id);
          for (const place of [stream.folder, folder]) await removePin(fs, place, forkIncarnation);
          const unused = await retained.unused(id);
          if (!unused) return null;
          await retained.forget(id);
          await trash(folder);
          return unused;
        });
      return pinned(id, take, 'releasing');
    },
    pins: async (id) => ({ ...(await retained.pins(id)), now: options.now() }),
    async has(stream) {
      const living = await readOrigin(context, streamFolder(layout, stream.id));
      return living?.incarnation === stream.incarnation || retained.holds(stream);
    },
    async readOwn(stream, page) {
      const living = await pinned(stream.id, (open) => open.readFor(stream.incarnation, page), 'reading');
      return living ?? retained.read(stream, page);
    },
  };
  return createForks(port);
}
