/**
 * Forks over a store that dies between any two of its steps. Only the pins that a crash may leave matter here: what forks contain is for the
 * conformance kit.
 */
import {
  createForks,
  createHead,
  createMemoryStreamStore,
  decideExisting,
  FORK_CREATION_MS,
  FORK_PIN_GRACE_MS,
  type ForkPin,
  type ForkPort,
  type Forks,
  MAX_FORK_DEPTH,
  type RemovedStream,
  retainedId,
  StreamError,
  type StreamHead,
  StreamNotFoundError,
} from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Kept {
  readonly head: StreamHead;
  readonly pins: Map<string, ForkPin>;
  retained: boolean;
}

/** What survives a crash, and a process that works on it until it dies. */
class Disk {
  readonly streams = new Map<string, Kept>();
  now = 1_000_000;
  #ids = 0;
  /** Steps after which the process dies. */
  stepsLeft = Infinity;
  /** Decides when a step happens. */
  turn: () => Promise<unknown> = () => Promise.resolve();
  /** Called once a pin is there. */
  onPin: () => void = () => {};

  forks(): Forks {
    const step = async <T>(work: () => T): Promise<T> => {
      await this.turn();
      return this.stepsLeft-- > 0 ? work() : new Promise(() => {});
    };
    const of = (id: string, incarnation: string): Kept | undefined => {
      const kept = this.streams.get(id);
      return kept?.head.incarnation === incarnation ? kept : undefined;
    };
    const port: ForkPort = {
      newIncarnation: () => this.fresh(),
      find: (id, options) =>
        step(() => {
          const kept = this.streams.get(id);
          if (kept?.retained) throw retainedId(id);
          if (kept) decideExisting(kept.head, options);
          return kept?.head ?? null;
        }),
      make: (id, options, fork) =>
        step(() => {
          if (this.streams.has(id) || this.now > (fork.deadline ?? Infinity)) return null;
          return this.put(createHead({ id, incarnation: fork.incarnation, now: this.now, fork }, options));
        }),
      pin: (id, fork) =>
        step(() => {
          const kept = this.streams.get(id);
          if (!kept || kept.retained) throw new StreamNotFoundError(id, { retained: kept?.retained ?? false });
          const pinnedAt = this.now;
          kept.pins.set(fork.incarnation, { ...fork, pinnedAt });
          this.onPin();
          return { head: kept.head, pinnedAt };
        }),
      unpin: ({ id, incarnation }, forkIncarnation) =>
        step(() => {
          const kept = of(id, incarnation);
          kept?.pins.delete(forkIncarnation);
          if (!kept?.retained || kept.pins.size > 0) return null;
          this.streams.delete(id);
          return kept.head;
        }),
      pins: (id) =>
        step(() => {
          const kept = this.streams.get(id);
          return kept?.retained
            ? { incarnation: kept.head.incarnation, pins: [...kept.pins.values()], now: this.now }
            : { incarnation: '', pins: [], now: this.now };
        }),
      has: ({ id, incarnation }) => step(() => of(id, incarnation) !== undefined),
      readOwn: () => Promise.resolve(null),
    };
    return createForks(port);
  }

  fresh(): string {
    return `i${this.#ids++}`;
  }

  put(head: StreamHead): StreamHead {
    this.streams.set(head.id, { head, pins: new Map(), retained: false });
    return head;
  }

  create(id: string): void {
    if (!this.streams.has(id)) this.put(createHead({ id, incarnation: this.fresh(), now: this.now }, {}));
  }

  /** The step of a deletion that is the store's own; what follows is `release` or `collect`. */
  retire(id: string): RemovedStream | 'retained' | null {
    const kept = this.streams.get(id);
    if (!kept || kept.retained) return null;
    kept.retained = kept.pins.size > 0;
    if (kept.retained) return 'retained';
    this.streams.delete(id);
    return kept.head;
  }

  /** Forks whose source is gone: the one thing that may never be. */
  orphans(): readonly string[] {
    return [...this.streams.values()]
      .filter(({ head: { fork } }) => fork && this.streams.get(fork.from)?.head.incarnation !== fork.incarnation)
      .map(({ head }) => head.id);
  }

  /** Retained streams that nobody needs. */
  leftovers(): readonly string[] {
    const needed = new Set([...this.streams.values()].map(({ head }) => head.fork?.incarnation));
    return [...this.streams.values()]
      .filter(({ head, retained }) => retained && !needed.has(head.incarnation))
      .map(({ head }) => head.id);
  }
}

async function run(disk: Disk, work: (forks: Forks) => Promise<unknown>): Promise<void> {
  let settled = false;
  void work(disk.forks())
    .catch(() => undefined)
    .finally(() => {
      settled = true;
    });
  // A process that died answers nothing; everything else here is microtasks.
  for (let turn = 0; turn < 200 && !settled; turn++) await Promise.resolve();
  disk.stepsLeft = Infinity;
}

async function remove(disk: Disk, forks: Forks, id: string): Promise<void> {
  if (disk.stepsLeft-- <= 0) return;
  const removed = disk.retire(id);
  if (removed === 'retained') await forks.collect(id);
  else if (removed) await forks.release(removed);
}

async function collectAll(disk: Disk): Promise<void> {
  for (let round = 0; round < 6; round++)
    for (const [id, { retained }] of disk.streams) if (retained) await disk.forks().collect(id);
}

type Act =
  | { readonly kind: 'create' | 'delete' | 'collect'; readonly id: string; readonly steps: number }
  | { readonly kind: 'fork'; readonly id: string; readonly from: string; readonly steps: number }
  | { readonly kind: 'pass'; readonly ms: number };

const id = fc.constantFrom('a', 'b', 'c', 'd');
const steps = fc.oneof(fc.constant(99), fc.nat(6));
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create' as const, 'delete' as const, 'collect' as const), id, steps }),
  fc.record({ kind: fc.constant('fork' as const), id, from: id, steps }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, FORK_CREATION_MS, FORK_PIN_GRACE_MS) }),
);

describe('after any crash', () => {
  it('no fork has lost its source, and nothing is kept for nobody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const disk = new Disk();
        for (const one of acts) {
          if (one.kind === 'pass') {
            disk.now += one.ms;
            continue;
          }
          disk.stepsLeft = one.steps;
          if (one.kind === 'create') disk.create(one.id);
          else if (one.kind === 'fork') await run(disk, (forks) => forks.create(one.id, { fork: { from: one.from } }));
          else if (one.kind === 'collect') await run(disk, (forks) => forks.collect(one.id));
          else await run(disk, (forks) => remove(disk, forks, one.id));
          expect(disk.orphans()).toEqual([]);
        }
        disk.stepsLeft = Infinity;
        disk.now += 2 * FORK_PIN_GRACE_MS;
        await collectAll(disk);
        expect(disk.leftovers()).toEqual([]);
        expect(disk.orphans()).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });
});

/** Calls that get into each other's way. */
const rival: fc.Arbitrary<Act> = fc.constantFrom<Act>(
  { kind: 'fork', id: 'c', from: 'a', steps: 0 },
  { kind: 'fork', id: 'd', from: 'c', steps: 0 },
  { kind: 'delete', id: 'a', steps: 0 },
  { kind: 'delete', id: 'c', steps: 0 },
  { kind: 'pass', ms: FORK_CREATION_MS + 1 },
);

describe('two processes at once', () => {
  it('do not part a fork from its source, however their steps interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(rival, { minLength: 2, maxLength: 8 }), async (scheduler, acts) => {
        const disk = new Disk();
        for (const one of ['a', 'b']) disk.create(one);
        disk.turn = () => scheduler.schedule(Promise.resolve());
        const forks = disk.forks();
        const calls = acts.map(async (one) => {
          await disk.turn();
          if (one.kind === 'pass') disk.now += one.ms;
          else if (one.kind === 'fork') await forks.create(one.id, { fork: { from: one.from } }).catch(() => null);
          else if (one.kind === 'delete') await remove(disk, forks, one.id);
          else if (one.kind === 'collect') await forks.collect(one.id);
        });
        await scheduler.waitFor(Promise.all(calls));
        expect(disk.orphans()).toEqual([]);
        disk.turn = () => Promise.resolve();
        disk.stepsLeft = Infinity;
        disk.now += 2 * FORK_PIN_GRACE_MS;
        await collectAll(disk);
        expect(disk.leftovers()).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a line of forks', () => {
  it('has an end', async () => {
    const store = createMemoryStreamStore();
    await store.create('0', { records: [{ data: '"first"' }] });
    for (let n = 1; n <= MAX_FORK_DEPTH; n++) await store.create(`${n}`, { fork: { from: `${n - 1}` } });
    expect((await store.read(`${MAX_FORK_DEPTH}`, { from: 0 })).records).toMatchObject([{ data: '"first"' }]);
    await expect(store.create('beyond', { fork: { from: `${MAX_FORK_DEPTH}` } })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await store.delete(`${MAX_FORK_DEPTH}`);
    expect((await store.create('instead', { fork: { from: `${MAX_FORK_DEPTH - 1}` } })).created).toBe(true);
  });
});

describe('createForks', () => {
  it('does not create a fork whose pin is so old that it may have been taken for a leftover', async () => {
    const disk = new Disk();
    disk.create('a');
    disk.onPin = () => {
      disk.now += FORK_CREATION_MS + 1;
    };
    await expect(disk.forks().create('b', { fork: { from: 'a' } })).rejects.toMatchObject({ code: 'STORE_ERROR' });
    expect(disk.streams.has('b')).toBe(false);
    expect(disk.streams.get('a')?.pins.size).toBe(0);
  });

  it.each([
    ['STORE_ERROR', 1],
    ['STORE_FULL', 0],
    ['LIMIT_EXCEEDED', 0],
  ] as const)('after a creation that failed with %s leaves %i pins', async (code, pins) => {
    const disk = new Disk();
    disk.create('a');
    const put = disk.put.bind(disk);
    disk.put = () => {
      throw new StreamError(code, 'injected');
    };
    await expect(disk.forks().create('b', { fork: { from: 'a' } })).rejects.toMatchObject({ code });
    disk.put = put;
    expect(disk.streams.get('a')?.pins.size).toBe(pins);
  });

  it('reports a source that is missing instead of an empty page', async () => {
    const disk = new Disk();
    disk.create('a');
    const source = disk.streams.get('a')?.head;
    const origin = { from: 'a', incarnation: source?.incarnation ?? '', position: 3, bytes: 0, depth: 1 };
    const head = createHead(
      { id: 'b', incarnation: 'i', now: 0, fork: { origin, firstPosition: 0 } },
      { contentType: 'application/json' },
    );
    await expect(Promise.resolve(disk.forks().read({ records: [], head }, { from: 0 }))).rejects.toMatchObject({
      code: 'CORRUPT',
    });
  });
});
