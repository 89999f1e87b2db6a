import type { StreamHead } from '@perennial/core';

import { lengthOf } from './codec/head.ts';

/** What this process was told about a stream. */
export interface Watermark {
  /** As the server last showed it. */
  head: StreamHead;
  /** Records and end that the server acknowledged. */
  length: number;
  /** As much of it as the wanted replicas confirmed. */
  replicated: number;
}

/**
 * Remembers how far streams had come when the server last answered. Scripts compare it with what they find: less than that means the
 * server lost acknowledged data. Bounded; a stream that falls out is merely not checked until it is seen again.
 */
export interface Watermarks {
  get(id: string): Readonly<Watermark> | undefined;
  /** Notes an answer of the server. */
  note(head: StreamHead, replicated?: boolean): void;
  /** True when replicas are known to have everything the head shows. */
  isReplicated(head: StreamHead): boolean;
  /** Forgets a deleted stream. */
  forget(id: string): void;
}

/** Creates watermarks for at most `capacity` streams, the most recently seen. */
export function createWatermarks(capacity: number): Watermarks {
  const marks = new Map<string, Watermark>();
  return {
    get: (id) => marks.get(id),
    note(head, replicated = false) {
      const known = marks.get(head.id);
      const length = lengthOf(head);
      if (known?.head.incarnation === head.incarnation) {
        known.head = head;
        // Answers may arrive out of order in a Cluster.
        if (length > known.length) known.length = length;
        if (replicated && length > known.replicated) known.replicated = length;
        // Order of use matters only once there is little room.
        if (marks.size < capacity / 2) return;
        marks.delete(head.id);
        marks.set(head.id, known);
        return;
      }
      marks.delete(head.id);
      marks.set(head.id, { head, length, replicated: replicated ? length : 0 });
      if (marks.size <= capacity) return;
      for (const oldest of marks.keys()) {
        marks.delete(oldest);
        break;
      }
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
