'use client';

import { ArrowUp, Square } from 'lucide-react';
import type { KeyboardEvent, Ref } from 'react';

import { MAX_QUESTION_LENGTH } from '../lib/requests.ts';
import { Button } from './button.tsx';
import { TeamToggle } from './team-toggle.tsx';

const ROUND = 'size-11 shrink-0 !rounded-full !px-0';

/** Props of {@link Composer}. */
export interface ComposerProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onSend: () => void;
  /** Stops the answer that is being written; absent when there is none. */
  readonly onStop: (() => void) | undefined;
  readonly sending: boolean;
  /** True: a team will answer. */
  readonly team: boolean;
  readonly onTeam: (team: boolean) => void;
  readonly ref: Ref<HTMLTextAreaElement>;
}

/** Where questions are typed. Enter sends, Shift+Enter makes a new line. */
export function Composer({ text, onChange, onSend, onStop, sending, team, onTeam, ref }: ComposerProps) {
  const ready = text.trim() !== '' && !sending && !onStop;
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method is composing, Enter only accepts its suggestion.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (ready) onSend();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onSend();
      }}
      className="flex items-end gap-2 rounded-[1.625rem] border border-input bg-card p-1.5 shadow-sm transition-shadow focus-within:border-ring focus-within:ring-3 focus-within:ring-ring/20"
    >
      <textarea
        ref={ref}
        aria-label="Message"
        placeholder="Ask your documents"
        rows={1}
        maxLength={MAX_QUESTION_LENGTH}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-48 min-h-11 flex-1 resize-none bg-transparent py-2.5 pl-3.5 leading-6 outline-hidden placeholder:text-muted-foreground"
      />
      <TeamToggle pressed={team} onChange={onTeam} />
      {onStop ? (
        <Button aria-label="Stop" title="Stop (Esc)" variant="primary" onClick={onStop} className={ROUND}>
          <Square aria-hidden className="size-3.5 fill-current" />
        </Button>
      ) : (
        <Button
          aria-label="Send"
          title="Send (Enter)"
          type="submit"
          variant="primary"
          disabled={!ready}
          className={ROUND}
        >
          <ArrowUp aria-hidden className="size-5" />
        </Button>
      )}
    </form>
  );
}
