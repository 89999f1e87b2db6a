import { createMemoryStreamStore, StreamError } from '@perennial/core';

import { type Mutant, mutant, without } from './mutant.ts';

/** The memory store behind a mapping of ids. */
function mapped(name: string, noticedBy: string, map: (id: string) => string): Mutant {
  return mutant(name, ['hostile ids', noticedBy], (inner) => ({
    create: (id, options) => inner.create(map(id), options),
    append: (id, request) => inner.append(map(id), request),
    read: (id, options) => inner.read(map(id), options),
    head: (id) => inner.head(map(id)),
    delete: (id) => inner.delete(map(id)),
  }));
}

/** Stores that keep heads and lifetimes wrongly. */
export const headMutants: readonly Mutant[] = [
  mutant('forgets cancel requests', ['cancel', 'keeps the request, with and without a reason'], (inner) => ({
    async mark(id, mark) {
      if (mark.type !== 'cancel') return inner.mark(id, mark);
      const head = await inner.wait(id, { position: 0, timeoutMs: 0 });
      return { ...head, cancel: { requestedAt: 0, ...(mark.reason === undefined ? {} : { reason: mark.reason }) } };
    },
  })),
  mutant(
    'lets anyone fence with an equal token',
    ['fencing', 'refuses the same token from another nonce'],
    (inner) => ({
      async mark(id, mark) {
        const head = await inner.head(id);
        return mark.type === 'fence' && head?.token === mark.token ? head : inner.mark(id, mark);
      },
    }),
  ),
  mutant(
    'renews the lease of a writer that was overtaken',
    ['lease', 'refuses a writer that was overtaken'],
    (inner) => ({
      async mark(id, mark) {
        const token = (await inner.head(id))?.token ?? 0;
        return inner.mark(id, mark.type === 'lease' ? { ...mark, token } : mark);
      },
    }),
  ),
  mutant('always says that it created', ['create', 'finds a stream of the same configuration'], (inner) => ({
    create: async (id, options) => ({ ...(await inner.create(id, options)), created: true }),
  })),
  mutant('creates on append', ['append', 'never creates a stream'], (inner) => ({
    async append(id, request) {
      if ((await inner.head(id)) === null) await inner.create(id);
      return inner.append(id, request);
    },
  })),
  mutant(
    'keeps a stream alive that is only looked at',
    ['expiry', 'looking at the head or the list does not restart the ttl'],
    (inner) => ({
      async head(id) {
        await inner.read(id, { from: 0 }).catch(() => null);
        return inner.head(id);
      },
    }),
  ),
  {
    name: 'uses one incarnation for all',
    group: 'delete',
    noticedBy: 'a stream created again is another incarnation and empty',
    open: (clock) => createMemoryStreamStore({ now: clock.now, randomId: () => 'same' }),
  },
  {
    name: 'runs on its own clock',
    group: 'expiry',
    noticedBy: 'a stream is absent from its absolute expiry on',
    open: () => createMemoryStreamStore({ now: () => 0 }),
  },
  mutant('goes on after close', ['close', 'read rejects with STORE_CLOSED afterwards'], () => ({
    close: async () => {},
  })),
];

/** Stores that list wrongly. */
export const listMutants: readonly Mutant[] = [
  mutant('lists in no order', ['list', 'orders by code unit'], (inner) => ({
    list: async (options) => ({ streams: (await inner.list(options)).streams.toReversed() }),
  })),
  mutant('orders by locale', ['list', 'orders by code unit'], (inner) => ({
    list: async (options) => ({
      streams: (await inner.list(options)).streams.toSorted((a, b) => a.id.localeCompare(b.id)),
    }),
  })),
  mutant(
    'names a next page after the last',
    ['list', 'the last page names no next one, also when it is full'],
    (inner) => ({
      async list(options) {
        const { streams } = await inner.list(options);
        const last = streams.at(-1);
        return last ? { streams, next: last.id } : { streams };
      },
    }),
  ),
  mutant('repeats the first of the next page', ['list', '`after` need not exist, and is itself left out'], (inner) => ({
    async list(options = {}) {
      const { streams } = await inner.list(without(options, 'after'));
      return { streams: streams.filter(({ id }) => id >= (options.after ?? '')) };
    },
  })),
];

/** Stores that mix up ids. */
export const idMutants: readonly Mutant[] = [
  mapped('folds case', 'keeps ids with case-only differences apart', (id) => id.toLowerCase()),
  mapped('normalises Unicode', 'keeps ids with normalisation forms apart', (id) => id.normalize('NFC')),
  mapped('trims ids', 'keeps ids with reserved file names apart', (id) => id.trim() || id),
  mapped('cuts ids at 255 characters', 'keeps very long ids apart', (id) => id.slice(0, 255)),
  mapped('ends ids at NUL', 'keeps ids with control characters apart', (id) => id.split('\u0000')[0] || id),
  mapped('collapses slashes', 'keeps ids with path traversal apart', (id) => id.replaceAll(/\/+/g, '/')),
  mapped('decodes percent signs', 'keeps ids with percent signs and URL syntax apart', (id) =>
    id.replaceAll(/%2f/gi, '/'),
  ),
];

/** Stores that refuse wrongly. */
export const errorMutants: readonly Mutant[] = [
  mutant('throws plain errors', ['create', 'refuses another content type'], (inner) => ({
    create: (id, options) =>
      inner.create(id, options).catch((error: unknown) => Promise.reject(new Error(String(error)))),
  })),
  mutant('does not name the argument', ['invalid arguments', 'read refuses `from`'], (inner) => ({
    read: (id, options) => inner.read(id, options).catch(unnamed),
  })),
  mutant('takes a page of none', ['invalid arguments', 'read refuses `limit`'], (inner) => ({
    read: (id, options) => inner.read(id, options.limit === 0 ? { ...options, limit: 1 } : options),
  })),
  mutant('creates before it checks', ['invalid arguments', 'create refuses `end`'], (inner) => ({
    async create(id, options) {
      const refusal = await inner.create(id, options).catch((error: Error) => error);
      if (!(refusal instanceof Error)) return refusal;
      await inner.create(id).catch(() => null);
      throw refusal;
    },
  })),
];

function unnamed(error: unknown): never {
  const { code, message } = error as StreamError;
  throw new StreamError(code, message);
}
