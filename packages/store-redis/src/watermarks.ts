import type { StreamHead } from '@perennial/core';

import { lengthOf, usualCounter } from './codec/head.ts';

/** What this process was told about a stream. */
export interface Watermark {
  /** As the server last showed it. */
  readonly head: StreamHead;
  /** Records and end that the server acknowledged. */
  readonly length: number;
  /** As much of it as the wanted replicas confirmed. */
  readonly replicated: number;
  /** Field in which a usual append counts; null where the stream has none. */
  readonly counter: string | null;
}

/**
 * Remembers how far streams had come when the server last answered. Scripts compare it with what they find: less than that means the
 * server lost acknowledged data. Bounded; a stream that falls out is merely not checked until it is seen again.
 */
export interface Watermarks {
  get(id: string): Watermark | undefined;
  /** Notes an answer of the server. */
  note(head: StreamHead, replicated?: boolean): void;
  /** Notes an append that left a head as it was but for its next position. */
  advance(from: StreamHead, to: StreamHead): void;
  /** Notes whether a stream has the counter that its head asks for. */
  noteCounter(head: StreamHead, hasCounter: boolean): void;
  /** True when replicas are known to have everything the head shows. */
  isReplicated(head: StreamHead): boolean;
  /** Forgets a deleted stream. */
  forget(id: string): void;
}

/** Creates watermarks for at most `capacity` streams, the most recently seen. */
export function createWatermarks(capacity: number): Watermarks {
  const marks = new Map<string, Mark>();
  const use = (id: string, mark: Mark): void => {
    // Order of use matters only once there is little room.
    if (marks.size < capacity / 2) return;
    marks.delete(id);
    marks.set(id, mark);
  };
  const note = (head: StreamHead, replicated: boolean): void => {
    const known = marks.get(head.id);
    if (known?.head.incarnation === head.incarnation) {
      known.see(head, replicated);
      use(head.id, known);
      return;
    }
    marks.delete(head.id);
    marks.set(head.id, new Mark(head, replicated));
    if (marks.size <= capacity) return;
    for (const oldest of marks.keys()) {
      marks.delete(oldest);
      break;
    }
  };
  return {
    get: (id) => marks.get(id),
    note: (head, replicated = false) => note(head, replicated),
    advance(from, to) {
      const known = marks.get(to.id);
      if (known?.head === from) {
        known.advance(to);
        use(to.id, known);
      } else note(to, false);
    },
    noteCounter({ id, incarnation }, hasCounter) {
      const mark = marks.get(id);
      if (mark?.head.incarnation === incarnation) mark.hasCounter = hasCounter;
    },
    isReplicated(head) {
      const mark = marks.get(head.id);
      return mark?.head.incarnation === head.incarnation && mark.replicated >= lengthOf(head);
    },
    forget(id) {
      marks.delete(id);
    },
  };
}

class Mark implements Watermark {
  head: StreamHead;
  length: number;
  replicated: number;
  /** False after an append that found none, for a reason that the head does not show. */
  hasCounter = true;
  #counter: string | null | undefined;

  constructor(head: StreamHead, replicated: boolean) {
    this.head = head;
    this.length = lengthOf(head);
    this.replicated = replicated ? this.length : 0;
  }

  /** Made once for many appends. */
  get counter(): string | null {
    if (!this.hasCounter) return null;
    if (this.#counter === undefined) this.#counter = usualCounter(this.head);
    return this.#counter;
  }

  see(head: StreamHead, replicated: boolean): void {
    this.head = head;
    this.#counter = undefined;
    const length = lengthOf(head);
    // Answers may arrive out of order in a Cluster.
    if (length > this.length) this.length = length;
    if (replicated && length > this.replicated) this.replicated = length;
  }

  advance(head: StreamHead): void {
    this.head = head;
    if (head.nextPosition > this.length) this.length = head.nextPosition;
  }
}
