import type { StreamEnd } from '@perennial/core';
import {
  Check,
  CircleStop,
  CloudOff,
  FastForward,
  Hourglass,
  LoaderCircle,
  Pause,
  Radio,
  RefreshCw,
  TriangleAlert,
} from 'lucide-react';

import type { AnswerStatus } from '../lib/status.ts';

const QUIET = 'bg-muted text-muted-foreground';
const ACTIVE = 'bg-primary-soft text-primary';
const WARN = 'bg-warning-soft text-warning';
const BAD = 'bg-danger-soft text-danger';
const SPIN = 'animate-spin';

const LOOKS = {
  connecting: { Icon: LoaderCircle, text: 'Connecting', colour: QUIET, motion: SPIN },
  'catching-up': { Icon: FastForward, text: 'Catching up', colour: ACTIVE, motion: '' },
  live: { Icon: Radio, text: 'Live', colour: ACTIVE, motion: 'animate-pulse' },
  reconnecting: { Icon: RefreshCw, text: 'Reconnecting', colour: WARN, motion: SPIN },
  stalled: { Icon: Hourglass, text: 'Waiting for a server', colour: WARN, motion: '' },
  paused: { Icon: Pause, text: 'Paused', colour: QUIET, motion: '' },
  completed: { Icon: Check, text: 'Done', colour: QUIET, motion: '' },
  cancelled: { Icon: CircleStop, text: 'Stopped', colour: QUIET, motion: '' },
  failed: { Icon: TriangleAlert, text: 'Failed', colour: BAD, motion: '' },
  error: { Icon: CloudOff, text: 'Unreadable', colour: BAD, motion: '' },
} as const satisfies Record<AnswerStatus, unknown>;

/** Shows the real state of an answer's stream, in a shape and in words as well as in colour. */
export function StatusPill({ status, end }: { readonly status: AnswerStatus; readonly end: StreamEnd | null }) {
  const { Icon, text, colour, motion } = LOOKS[status];
  const code = end?.error?.code;
  return (
    <span
      data-testid="status"
      className={`inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full px-2.5 text-xs font-medium whitespace-nowrap ${colour}`}
    >
      <Icon aria-hidden className={`size-3.5 ${motion}`} />
      {text}
      {code !== undefined && <span className="font-mono text-[0.6875rem]">{code}</span>}
    </span>
  );
}
