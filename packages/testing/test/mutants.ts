import {
  createMemoryStreamStore,
  type AppendRequest,
  type AppendSegment,
  type NewRecord,
  type StreamHead,
  StreamError,
  type StreamStore,
} from '@perennial/core';

import type { ManualClock } from '../src/index.ts';

/** A store that is wrong in one way, and the case of the kit that has to notice. */
export interface Mutant {
  readonly name: string;
  readonly group: string;
  readonly noticedBy: string;
  readonly open: (clock: ManualClock) => StreamStore;
}

const memory = (clock: ManualClock): StreamStore => createMemoryStreamStore({ now: clock.now });

/** The memory store with some of its methods replaced. */
function mutant(
  name: string,
  [group, noticedBy]: readonly [group: string, noticedBy: string],
  change: (inner: StreamStore) => Partial<StreamStore>,
): Mutant {
  return { name, group, noticedBy, open: (clock) => broken(memory(clock), change) };
}

function broken(inner: StreamStore, change: (inner: StreamStore) => Partial<StreamStore>): StreamStore {
  return {
    capabilities: inner.capabilities,
    create: (...args) => inner.create(...args),
    append: (...args) => inner.append(...args),
    read: (...args) => inner.read(...args),
    wait: (...args) => inner.wait(...args),
    head: (...args) => inner.head(...args),
    producer: (...args) => inner.producer(...args),
    delete: (...args) => inner.delete(...args),
    list: (...args) => inner.list(...args),
    mark: (...args) => inner.mark(...args),
    close: () => inner.close(),
    ...change(inner),
  };
}

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

/** The memory store with every segment changed before it is appended. */
function segmented(
  name: string,
  noticed: readonly [group: string, noticedBy: string],
  change: (segment: AppendSegment) => AppendSegment,
): Mutant {
  return mutant(name, noticed, (inner) => ({
    append: (id, request) => inner.append(id, { ...request, segments: request.segments.map(change) }),
  }));
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _dropped, ...rest } = value;
  return rest;
}

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0);
  });

const never = (): Promise<never> => new Promise(() => {});

const appendMutants: readonly Mutant[] = [
  segmented('forgets producers', ['producers', 'recognises a repeated segment and stores it once'], (segment) =>
    without(segment, 'producer'),
  ),
  segmented(
    'numbers segments instead of records',
    ['producers', 'skips the part that is stored and appends the rest'],
    (segment) => ({ ...segment, sequencing: 'segment' }),
  ),
  segmented(
    'ignores the expected position',
    ['append expectations', 'refuses a position below or above the tail and names the tail'],
    (segment) => without(segment, 'expectedPosition'),
  ),
  segmented(
    'ignores the stream sequence',
    ['append expectations', 'compares stream sequences as text, not as numbers'],
    (segment) => without(segment, 'streamSeq'),
  ),
  segmented(
    'ignores the content type',
    ['append expectations', 'refuses another content type and names the stored one'],
    (segment) => without(segment, 'contentType'),
  ),
  segmented('drops supersede records', ['append', 'stores a supersede record at a position of its own'], (segment) => ({
    ...segment,
    records: segment.records.filter(({ kind }) => kind !== 'supersede'),
  })),
  segmented(
    're-encodes JSON',
    ['hostile payloads', 'keeps JSON with numbers that no double holds as raw text'],
    (segment) => ({ ...segment, records: segment.records.map(reencoded) }),
  ),
  segmented('forgets why it ended', ['append', 'keeps a cancellation, with and without a reason'], (segment) =>
    segment.end ? { ...segment, end: { outcome: segment.end.outcome } } : segment,
  ),
  mutant('ignores tokens', ['append expectations', 'refuses a lower token, and none once there is one'], (inner) => ({
    create: (id, options = {}) => inner.create(id, without(options, 'token')),
    append: (id, request) => inner.append(id, without(request, 'token')),
  })),
  mutant('reports closed before duplicate', ['append check order', 'duplicate is reported before closed'], (inner) => ({
    async append(id, request) {
      const head = await inner.head(id);
      const { end } = head ?? {};
      return head && end
        ? { segments: request.segments.map(() => ({ status: 'closed' as const, end })), head }
        : inner.append(id, request);
    },
  })),
  mutant(
    'reports gaps before content types',
    ['append check order', 'content-type is reported before gap'],
    (inner) => ({
      async append(id, request) {
        const answer = await inner.append(id, request);
        if (answer.segments[0]?.status !== 'content-type') return answer;
        // An impossible expected position keeps the second look from storing anything.
        const probe = request.segments.map((segment) => ({
          ...without(segment, 'contentType'),
          expectedPosition: Number.MAX_SAFE_INTEGER,
        }));
        const second = await inner.append(id, { ...request, segments: probe });
        return second.segments[0]?.status === 'gap' ? second : answer;
      },
    }),
  ),
  mutant(
    'checks the expected position before it appends, not while',
    ['concurrency', 'of racing appends that expect one position, exactly one is stored'],
    (inner) => ({
      async append(id, request) {
        const head = await inner.head(id);
        const expected = request.segments[0]?.expectedPosition;
        await tick();
        if (expected !== undefined && expected !== head?.nextPosition) return inner.append(id, request);
        return inner.append(id, {
          ...request,
          segments: request.segments.map((segment) => without(segment, 'expectedPosition')),
        });
      },
    }),
  ),
  mutant('appends record by record', ['concurrency', 'records of one append stay together'], (inner) => ({
    append: (id, request) => appendSingly(inner, id, request),
  })),
];

const readMutants: readonly Mutant[] = [
  mutant('reads one record too many', ['read', 'stops at `limit`'], (inner) => ({
    read: (id, options) => inner.read(id, { ...options, limit: (options.limit ?? 1_000) + 1 }),
  })),
  mutant('skips the first record', ['read', 'reads from a position to the tail'], (inner) => ({
    read: (id, options) => inner.read(id, { ...options, from: options.from + 1 }),
  })),
  mutant('ignores `maxBytes`', ['read', 'stops after the record that reaches `maxBytes`'], (inner) => ({
    read: (id, options) => inner.read(id, without(options, 'maxBytes')),
  })),
  mutant('gives no record larger than the page', ['read', 'gives at least one record, however large'], (inner) => ({
    async read(id, options) {
      const page = await inner.read(id, options);
      const [first] = page.records;
      const tooLarge = first?.kind === 'data' && first.data.length > (options.maxBytes ?? Infinity);
      return tooLarge ? { ...page, records: [] } : page;
    },
  })),
  mutant('hands out its own records', ['read', "a page is the caller's own"], (inner) => {
    const pages = new Map<string, Awaited<ReturnType<StreamStore['read']>>>();
    return {
      async read(id, options) {
        const page = pages.get(id) ?? (await inner.read(id, options));
        pages.set(id, page);
        return page;
      },
    };
  }),
  mutant('changes heads in place', ['read', 'a head is a snapshot that later changes leave alone'], (inner) => {
    const heads = new Map<string, StreamHead>();
    const live = (head: StreamHead): StreamHead => {
      const known = heads.get(head.id) ?? { ...head };
      heads.set(head.id, known);
      return Object.assign(known, head);
    };
    return {
      async create(id, options) {
        const result = await inner.create(id, options);
        return { ...result, head: live(result.head) };
      },
      async append(id, request) {
        const result = await inner.append(id, request);
        return { ...result, head: live(result.head) };
      },
    };
  }),
];

const waitMutants: readonly Mutant[] = [
  mutant('polls', ['wait', 'wakes by notification, not at the next poll'], (inner) => ({
    async wait(id, options) {
      for (;;) {
        const head = await inner.head(id);
        if (head && head.nextPosition > options.position) return head;
        await new Promise((resolve) => {
          setTimeout(resolve, 80);
        });
      }
    },
  })),
  mutant('wakes for any append', ['wait', 'waits for the position that was asked for'], (inner) => ({
    wait: (id, options) => inner.wait(id, { ...options, position: Math.min(options.position, 0) }),
  })),
  mutant('never wakes for an end', ['wait', 'resolves when the stream ends'], (inner) => ({
    wait: async (id, options) => {
      const head = await inner.wait(id, options);
      return head.end && head.nextPosition <= options.position ? never() : head;
    },
  })),
  mutant(
    'leaves waiters of a deleted stream waiting',
    ['wait', 'a deleted stream wakes its waiters with NOT_FOUND'],
    (inner) => ({
      wait: (id, options) => inner.wait(id, options).catch(never),
    }),
  ),
  mutant('ignores the signal', ['wait', 'an aborted signal rejects with ABORTED'], (inner) => ({
    wait: (id, options) => inner.wait(id, without(options, 'signal')),
  })),
  mutant('ignores the timeout', ['wait', 'resolves with the unchanged head after `timeoutMs`'], (inner) => ({
    wait: (id, options) => inner.wait(id, without(options, 'timeoutMs')),
  })),
  mutant(
    'keeps the producer waiting on cancel',
    ['wait', 'resolves on a cancel request for those who wait for one'],
    (inner) => ({
      wait: (id, options) => inner.wait(id, without(options, 'cancel')),
    }),
  ),
];

const headMutants: readonly Mutant[] = [
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

const listMutants: readonly Mutant[] = [
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

const idMutants: readonly Mutant[] = [
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

const errorMutants: readonly Mutant[] = [
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

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...appendMutants,
  ...readMutants,
  ...waitMutants,
  ...headMutants,
  ...listMutants,
  ...idMutants,
  ...errorMutants,
];

function reencoded(record: NewRecord): NewRecord {
  if (record.kind === 'supersede' || typeof record.data !== 'string') return record;
  return { ...record, data: JSON.stringify(JSON.parse(record.data)) };
}

async function appendSingly(inner: StreamStore, id: string, request: AppendRequest): ReturnType<StreamStore['append']> {
  const [segment] = request.segments;
  if (!segment || segment.producer || segment.end || segment.records.length < 2) return inner.append(id, request);
  for (const record of segment.records.slice(0, -1)) {
    await inner.append(id, { segments: [{ records: [record] }] });
    await tick();
  }
  return inner.append(id, { segments: [{ records: segment.records.slice(-1) }] });
}

function unnamed(error: unknown): never {
  const { code, message } = error as StreamError;
  throw new StreamError(code, message);
}
