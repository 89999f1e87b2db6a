'use client';

import { announcement, type AnswerStatus } from '../lib/status.ts';

/** Tells screen readers that an answer starts and ends, and nothing of what comes between. */
export function Announcer({ status }: { readonly status: AnswerStatus | null }) {
  return <output className="sr-only">{status && announcement(status)}</output>;
}
