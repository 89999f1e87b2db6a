import { memo } from 'react';

import type { ShownTurn } from '../lib/chat.ts';
import type { EndedAnswer } from '../lib/snapshot.ts';
import { AssistantMessage } from './assistant-message.tsx';
import { UserMessage } from './user-message.tsx';

/** Props of {@link Turn}. */
export interface TurnProps {
  readonly turn: ShownTurn;
  readonly ended: EndedAnswer | undefined;
  readonly onRegenerate: (turn: ShownTurn) => Promise<boolean>;
}

/** A question and its answer. */
export const Turn = memo(function Turn({ turn, ended, onRegenerate }: TurnProps) {
  return (
    <div className="space-y-6">
      <UserMessage text={turn.text} sending={turn.pending} />
      <AssistantMessage
        key={turn.answer}
        question={turn.text}
        streamId={turn.answer}
        ended={ended}
        pending={turn.pending}
        onRegenerate={() => void onRegenerate(turn)}
      />
    </div>
  );
}, sameTurn);

/** A turn is made anew with each event of the conversation; its parts tell whether it changed. */
function sameTurn(a: TurnProps, b: TurnProps): boolean {
  return (
    a.turn.id === b.turn.id &&
    a.turn.answer === b.turn.answer &&
    a.turn.pending === b.turn.pending &&
    a.turn.text === b.turn.text &&
    a.ended === b.ended &&
    a.onRegenerate === b.onRegenerate
  );
}
