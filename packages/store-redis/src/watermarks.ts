import type { StreamHead } from '@perennial/core';

import { lengthOf } from './codec/head.ts';

/** What this process was told about a stream. */
export interface Watermark {
  /** As the server last showed it. */
  readonly head: StreamHead;
  /** Records and end that the server acknowledged. */
  readonly length: number;
  /** As much of it as the wanted replicas confirmed. */
  readonly replicated: number;
}

/**
 * Remembers how far streams had come when the server last answered. Scripts compare it with what they find: less than that means the
 * server lost acknowledged data. Bounded; a stream that falls out is merely not checked until it is seen again.
 */
export interface Watermarks {
  get(id: string): Watermark | undefined;
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
      const same = known?.head.incarnation === head.incarnation ? known : undefined;
      const length = lengthOf(head);
      marks.delete(head.id);
      marks.set(head.id, {
        head,
        // Answers may arrive out of order in a Cluster.
        length: Math.max(length, same?.length ?? 0),
        replicated: Math.max(replicated ? length : 0, same?.replicated ?? 0),
      });
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
