import type { StreamSessionState, StreamSnapshot } from '@perennial/core/client';
import { replaceEqualDeep } from '@tanstack/react-query';

type Field = keyof StreamSessionState<unknown>;
type Select<TData, TSelected> = ((data: TData) => TSelected) | undefined;

/** What a view remembers of its last look at the stream. */
interface Look<TData, TSelected> {
  readonly from: StreamSessionState<TData>;
  readonly select: Select<TData, TSelected>;
  /** The state with its data selected. */
  readonly shown: StreamSessionState<TSelected>;
  /** Stays the same object until a field that is used changes: what React compares. */
  readonly token: object;
}

/**
 * What one component sees of a stream, and which fields it uses: changes of the others are no reason to render. It changes while React
 * renders, as a memo does; a render that is thrown away leaves nothing behind but a field too many.
 */
export class StreamView<TData, TSelected> {
  readonly #used = new Set<Field>();
  #look: Look<TData, TSelected> | null = null;
  #unfollowed: {
    readonly key: unknown;
    readonly following: boolean;
    readonly state: StreamSessionState<TData>;
  } | null = null;

  /** Looks at a state. Returns the same object as before unless a field that is used has changed. */
  look(state: StreamSessionState<TData>, select: Select<TData, TSelected>): object {
    const last = this.#look;
    if (last && last.from === state && last.select === select) return last.token;
    const shown = { ...state, data: this.#selected(state.data, select) };
    const same = last && [...this.#used].every((field) => Object.is(last.shown[field], shown[field]));
    const token = same ? last.token : shown;
    this.#look = { from: state, select, shown, token };
    return token;
  }

  /** The latest value of a field, which from now on counts as used. */
  use<TField extends Field>(field: TField): StreamSessionState<TSelected>[TField] {
    this.#used.add(field);
    if (!this.#look) throw new Error('A view is looked at before it is used.');
    return this.#look.shown[field];
  }

  /**
   * The state where nobody follows the stream: on a server, and before the effect that connects.
   *
   * @param initial Shown when the cache has nothing.
   */
  cold(
    snapshot: StreamSnapshot<TData> | null,
    initial: StreamSnapshot<TData>,
    following: boolean,
  ): StreamSessionState<TData> {
    return this.#without(snapshot, following, () => {
      const { data, count, end, position } = snapshot ?? initial;
      const status = end ? 'closed' : following ? 'connecting' : 'idle';
      return { data, position, count, status, end, error: null, cancelRequested: false };
    });
  }

  /** The state for a component that does not follow a stream which others follow. */
  aside(state: StreamSessionState<TData>): StreamSessionState<TData> {
    return this.#without(state, false, () => ({ ...state, status: state.end ? 'closed' : 'idle', error: null }));
  }

  /** Makes a state once: React compares by identity what it gets. */
  #without(key: unknown, following: boolean, make: () => StreamSessionState<TData>): StreamSessionState<TData> {
    const known = this.#unfollowed;
    if (known && known.key === key && known.following === following) return known.state;
    const state = make();
    this.#unfollowed = { key, following, state };
    return state;
  }

  #selected(data: TData, select: Select<TData, TSelected>): TSelected {
    const last = this.#look;
    if (!select) {
      // What is shown before there is a session, and what the session begins with: neither has an item.
      if (last && isEmpty(last.shown.data) && isEmpty(data)) return last.shown.data;
      // Without `select`, TSelected is TData: the overloads of `useStream` say so.
      return data as unknown as TSelected;
    }
    if (last && last.from.data === data && last.select === select) return last.shown.data;
    const selected = select(data);
    return last ? replaceEqualDeep(last.shown.data, selected) : selected;
  }
}

function isEmpty(data: unknown): boolean {
  return Array.isArray(data) && data.length === 0;
}
