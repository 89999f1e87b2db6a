'use client';

import { RotateCcw } from 'lucide-react';
import { useMemo, useState } from 'react';

import { citedNumbers, toClipboardText } from '../lib/cited.ts';
import type { EndedAnswer } from '../lib/snapshot.ts';
import { isOpen } from '../lib/status.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { AnswerProblem } from './answer-problem.tsx';
import { CitationContext } from './citation-context.ts';
import { CopyButton } from './copy-button.tsx';
import { IconButton } from './icon-button.tsx';
import { Markdown } from './markdown.tsx';
import { PassageDialog } from './passage-dialog.tsx';
import { SourceList } from './source-list.tsx';
import { Sprout } from './sprout.tsx';
import { StatusPill } from './status-pill.tsx';
import { TeamWork } from './team-work.tsx';

/** Props of {@link AssistantMessage}. */
export interface AssistantMessageProps {
  /** What it answers. */
  readonly question: string;
  readonly streamId: string;
  /** The whole answer, when it had ended before the page was rendered. */
  readonly ended: EndedAnswer | undefined;
  /** True while the server has not taken the question. */
  readonly pending: boolean;
  /** Asks for a new answer. */
  readonly onRegenerate: () => void;
}

/** An answer: the text as it arrives, the state of its stream, its sources and what can be done with it. */
export function AssistantMessage({ question, streamId, ended, pending, onRegenerate }: AssistantMessageProps) {
  const now = useAnswer(streamId, { ended, enabled: !pending });
  const { answer, status, end } = now;
  const [shown, setShown] = useState<number | null>(null);
  const citations = useMemo(() => ({ sources: answer.sources, open: setShown }), [answer.sources]);
  const open = isOpen(status);
  const cited = open ? [] : citedNumbers(answer);
  const text = (
    <div data-testid="answer" aria-busy={open} className={open ? 'min-h-7' : ''}>
      {answer.text === '' && open ? (
        <WaitingDots />
      ) : (
        <Markdown text={answer.text} streaming={open} caret={status === 'live' || status === 'catching-up'} />
      )}
    </div>
  );
  return (
    <article
      data-testid="message"
      data-role="assistant"
      data-status={status}
      aria-label="Answer"
      className="group/answer"
    >
      <header className="mb-2 flex h-8 items-center gap-2.5">
        <Sprout className="size-7" />
        <span className="truncate text-sm font-medium">{answer.answerer?.name ?? 'Answer'}</span>
        <StatusPill status={status} end={end} />
      </header>
      <div className="sm:pl-9.5">
        <CitationContext value={citations}>
          {answer.team ? (
            <TeamWork question={question} team={answer.team} open={open}>
              {text}
            </TeamWork>
          ) : (
            text
          )}
        </CitationContext>
        <AnswerProblem now={now} onRegenerate={onRegenerate} />
        {cited.length > 0 && (
          <SourceList question={question} sources={answer.sources} numbers={cited} onOpen={setShown} />
        )}
        <footer className="mt-1 -ml-3 flex h-11 items-center">
          {!open && (
            <>
              {answer.text !== '' && <CopyButton text={toClipboardText(answer)} label="Copy answer" />}
              {/* After a failure the notice offers it. */}
              {status !== 'failed' && (
                <IconButton label="Regenerate" onClick={onRegenerate}>
                  <RotateCcw aria-hidden className="size-4" />
                </IconButton>
              )}
            </>
          )}
        </footer>
      </div>
      <PassageDialog
        source={shown === null ? null : (answer.sources[shown - 1] ?? null)}
        n={shown ?? 0}
        onClose={() => setShown(null)}
      />
    </article>
  );
}

function WaitingDots() {
  return (
    <span className="flex h-7 items-center gap-1.5" aria-hidden>
      {[0, 150, 300].map((delay) => (
        <span
          key={delay}
          style={{ animationDelay: `${delay}ms` }}
          className="size-1.5 animate-pulse rounded-full bg-muted-foreground"
        />
      ))}
    </span>
  );
}
