import type { StreamHead, StreamStore } from '@perennial/core';

import { type Mutant, mutant, without } from './mutant.ts';

const never = (): Promise<never> => new Promise(() => {});

/** Stores that read wrongly. */
export const readMutants: readonly Mutant[] = [
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

/** Stores that wake wrongly. */
export const waitMutants: readonly Mutant[] = [
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
