import { Check, CircleDashed, CircleStop, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import { type Contribution, TEAM_MEMBERS, type TeamContributions, type TeamMember } from '../lib/answer.ts';
import { Markdown } from './markdown.tsx';

const NAMES = { researcher: 'Researcher', analyst: 'Analyst', writer: 'Writer' } as const satisfies Record<
  TeamMember,
  string
>;

const LOOKS = {
  waiting: { Icon: CircleDashed, text: 'Waiting', colour: 'text-muted-foreground', motion: '' },
  working: { Icon: LoaderCircle, text: 'Working', colour: 'text-primary', motion: 'animate-spin' },
  done: { Icon: Check, text: 'Done', colour: 'text-muted-foreground', motion: '' },
  failed: { Icon: TriangleAlert, text: 'Failed', colour: 'text-danger', motion: '' },
  stopped: { Icon: CircleStop, text: 'Stopped', colour: 'text-muted-foreground', motion: '' },
} as const;

/** Props of {@link TeamWork}. */
export interface TeamWorkProps {
  /** What was asked: tells the sections of several answers apart. */
  readonly question: string;
  readonly team: TeamContributions;
  /** True while the answer is being written. */
  readonly open: boolean;
  /** The writer's text. */
  readonly children: ReactNode;
}

/** What each actor of a team contributed, in sections of their own. */
export function TeamWork({ question, team, open, children }: TeamWorkProps) {
  return (
    <div className="space-y-4">
      {TEAM_MEMBERS.map((member) => {
        const { text } = team[member] ?? { text: '' };
        const state = shownState(team[member], open);
        return (
          <section
            key={member}
            aria-label={`${NAMES[member]}: ${question}`}
            data-testid={member}
            data-state={state}
            className={member === 'writer' ? '' : 'rounded-2xl border bg-card px-4 py-3'}
          >
            <h2 className="mb-1.5 flex min-h-6 items-center gap-2 text-sm font-semibold">
              {NAMES[member]}
              <MemberState state={state} />
            </h2>
            {member === 'writer' ? (
              children
            ) : (
              <div aria-busy={state === 'working'} className="text-sm">
                <Markdown text={text} streaming={state === 'working'} caret={state === 'working'} />
              </div>
            )}
          </section>
        );
      })}
    </div>
  );
}

/** One who was at work when the answer ended has stopped with it. */
function shownState(contribution: Contribution | undefined, open: boolean): keyof typeof LOOKS {
  const state = contribution?.state ?? 'waiting';
  return !open && (state === 'waiting' || state === 'working') ? 'stopped' : state;
}

function MemberState({ state }: { readonly state: keyof typeof LOOKS }) {
  const { Icon, text, colour, motion } = LOOKS[state];
  return (
    <span className={`inline-flex items-center gap-1 text-xs font-medium ${colour}`}>
      <Icon aria-hidden className={`size-3.5 ${motion}`} />
      {text}
    </span>
  );
}
