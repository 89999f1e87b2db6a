import { explainFailure } from '../lib/status.ts';
import type { AnswerNow } from '../lib/use-answer.ts';
import { Button } from './button.tsx';
import { FailureNotice } from './failure-notice.tsx';
import { StalledNotice } from './stalled-notice.tsx';

/** Props of {@link AnswerProblem}. */
export interface AnswerProblemProps {
  readonly now: AnswerNow;
  readonly onRegenerate: () => void;
}

/** Says why an answer is not whole, and offers what helps; nothing for one that is. */
export function AnswerProblem({ now: { status, end, error, reconnect }, onRegenerate }: AnswerProblemProps) {
  if (status === 'failed' && end) {
    return (
      <div className="mt-3">
        <FailureNotice action={<Button onClick={onRegenerate}>Try again</Button>}>{explainFailure(end)}</FailureNotice>
      </div>
    );
  }
  if (status === 'error') {
    return (
      <div className="mt-3">
        <FailureNotice action={<Button onClick={reconnect}>Try again</Button>}>
          This answer cannot be read. {error?.message}
        </FailureNotice>
      </div>
    );
  }
  if (status === 'stalled') return <StalledNotice onRegenerate={onRegenerate} />;
  if (status === 'cancelled')
    return <p className="mt-3 text-sm text-muted-foreground">Stopped before it was finished.</p>;
  return null;
}
