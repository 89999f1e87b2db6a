import { type CreateOptions, type StreamError, type StreamStore } from '@perennial/core';

import { type Mutant, mutant, without } from './mutant.ts';

/** The memory store whose forks are made in another way. */
function made(
  name: string,
  noticedBy: readonly [group: string, noticedBy: string],
  change: (options: CreateOptions & { readonly fork: NonNullable<CreateOptions['fork']> }) => CreateOptions,
): Mutant {
  return mutant(name, noticedBy, (inner) => ({
    create: (id, options) => inner.create(id, options?.fork ? change({ ...options, fork: options.fork }) : options),
  }));
}

/** Forks that are copies, taken when they are made. */
function copied(inner: StreamStore): Partial<StreamStore> {
  return {
    async create(id, options = {}) {
      const { fork, ...rest } = options;
      if (!fork) return inner.create(id, options);
      const { records, head } = await inner.read(fork.from, { from: 0, limit: fork.position ?? 1_000 });
      const all = [...records, ...(options.records ?? [])];
      return inner.create(id, { contentType: head.contentType, ...rest, records: all });
    },
  };
}

/** Stores whose forks are wrong. */
export const forkMutants: readonly Mutant[] = [
  made(
    'forks at the tail, whatever was asked for',
    ['forks', 'a stream can be forked at each of its positions'],
    (options) => ({
      ...options,
      fork: { from: options.fork.from },
    }),
  ),
  made('forgets the part of a record', ['forks', 'begins with a part of a record where that is wanted'], (options) => ({
    ...options,
    fork: without(options.fork, 'bytes'),
  })),
  made('gives every fork a lifetime of its own', ['fork lifecycle', 'has the lifetime of its source'], (options) => ({
    ttlMs: 5_000,
    ...options,
  })),
  mutant('copies instead', ['fork lifecycle', 'a source that is deleted stays for its fork'], copied),
  mutant('stamps what it copies anew', ['forks', 'inherited records are those of the source'], copied),
  mutant('shows a fork what its source got later', ['forks', 'source and fork go separate ways'], (inner) => ({
    async read(id, options) {
      const page = await inner.read(id, options);
      const source = page.head.fork && (await inner.read(page.head.fork.from, options).catch(() => null));
      return source ? { ...page, records: page.records.map((record, n) => source.records[n] ?? record) } : page;
    },
  })),
  mutant('stops a page at the fork position and calls it the tail', ['forks', 'pages of every size'], (inner) => ({
    async read(id, options) {
      const page = await inner.read(id, options);
      const position = page.head.fork?.position ?? 0;
      return options.from < position
        ? { ...page, records: page.records.filter((record) => record.position < position - 1) }
        : page;
    },
  })),
  mutant('ends a fork with its source', ['forks', 'each ends by itself'], (inner) => ({
    async head(id) {
      const head = await inner.head(id);
      const source = head?.fork && (await inner.head(head.fork.from));
      return head && source ? { ...head, end: head.end ?? source.end } : head;
    },
  })),
  mutant('hands the producers on', ['forks', 'the state of a producer is not inherited'], (inner) => ({
    async producer(id, producer) {
      const from = (await inner.head(id))?.fork?.from;
      return (await inner.producer(id, producer)) ?? (from === undefined ? null : inner.producer(from, producer));
    },
  })),
  mutant('finds any stream for a fork', ['forks', 'refuses another source'], (inner) => ({
    async create(id, options = {}) {
      const head = options.fork && (await inner.head(id));
      return inner.create(id, head ? { contentType: head.contentType, ...without(options, 'fork') } : options);
    },
  })),
  mutant('holds on to a source that it refused to fork', ['forks', 'a refused fork leaves nothing'], (inner) => ({
    async create(id, options) {
      try {
        return await inner.create(id, options);
      } catch (error) {
        if (options?.fork) await inner.create(`${id}~leak`, { fork: { from: options.fork.from } }).catch(() => null);
        throw error;
      }
    },
  })),
  mutant('never lets a source go', ['fork lifecycle', 'the last fork takes a deleted source with it'], (inner) => ({
    async create(id, options) {
      if (options?.fork) await inner.create(`${id}~leak`, { fork: { from: options.fork.from } });
      return inner.create(id, options);
    },
  })),
  mutant('takes forks along with their source', ['fork lifecycle', 'a source that is deleted stays'], (inner) => ({
    async delete(id) {
      for (const { id: other, fork } of (await inner.list()).streams) if (fork?.from === id) await inner.delete(other);
      return inner.delete(id);
    },
  })),
  mutant('refuses to delete a source', ['fork lifecycle', 'a source that is deleted stays'], (inner) => ({
    async delete(id) {
      const { streams } = await inner.list();
      return streams.some(({ fork }) => fork?.from === id) ? false : inner.delete(id);
    },
  })),
  mutant('calls a kept source simply absent', ['fork lifecycle', 'a source that is deleted stays'], (inner) => ({
    read: (id, options) =>
      inner.read(id, options).catch((error: StreamError) => {
        throw error.code === 'NOT_FOUND' ? Object.assign(error, { retained: false }) : error;
      }),
  })),
  mutant(
    'keeps the source alive by reading its fork',
    ['fork lifecycle', 'reading a fork keeps the fork'],
    (inner) => ({
      async read(id, options) {
        const page = await inner.read(id, options);
        if (page.head.fork) await inner.read(page.head.fork.from, { from: 0 }).catch(() => null);
        return page;
      },
    }),
  ),
];
