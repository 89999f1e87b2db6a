import type { StreamStore } from '@perennial/core';

/** A store of which some verbs are other ones. */
export function overriding(store: StreamStore, verbs: Partial<StreamStore>): StreamStore {
  return new Proxy(store, {
    get(target, name) {
      if (name in verbs) return Reflect.get(verbs, name) as unknown;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
