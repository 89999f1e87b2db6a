import type { StreamHead } from '@perennial/core';

import { lengthOf } from './codec/head.ts';

/** What this process was told about a stream. */
interface Watermark {
  readonly incarnation: string;
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
  /** Incarnation and length, as scripts take them; empty when the stream is unknown. */
  floor(id: string): readonly [incarnation: string, length: string];
  /** Notes an answer of the server. */
  note(head: StreamHead, replicated?: boolean): void;
  /** True when replicas are known to have everything the head shows. */
  isReplicated(head: StreamHead): boolean;
  /** Forgets a deleted stream. */
  forget(id: string): void;
}

const UNKNOWN: readonly [string, string] = ['', ''];

/** Creates watermarks for at most `capacity` streams, the most recently seen. */
export function createWatermarks(capacity: number): Watermarks {
  const marks = new Map<string, Watermark>();
  return {
    floor(id) {
      const mark = marks.get(id);
      return mark ? [mark.incarnation, String(mark.length)] : UNKNOWN;
    },
    note(head, replicated = false) {
      const known = marks.get(head.id);
      const same = known?.incarnation === head.incarnation ? known : undefined;
      const length = lengthOf(head);
      marks.delete(head.id);
      marks.set(head.id, {
        incarnation: head.incarnation,
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
      return mark?.incarnation === head.incarnation && mark.replicated >= lengthOf(head);
    },
    forget(id) {
      marks.delete(id);
    },
  };
}
