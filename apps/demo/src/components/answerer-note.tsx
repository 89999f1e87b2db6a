import { BookOpenText, Sparkles } from 'lucide-react';

import type { AnswererInfo } from '../lib/answer.ts';

/** Says honestly where answers come from. */
export function AnswererNote({ answerer }: { readonly answerer: AnswererInfo }) {
  const offline = answerer.kind === 'offline';
  const Icon = offline ? BookOpenText : Sparkles;
  return (
    <p className="text-center text-xs text-balance text-muted-foreground">
      <Icon aria-hidden className="mr-1.5 inline size-3.5 align-[-0.2em]" />
      {offline
        ? 'Offline answers: extracts from your documents, no model'
        : `Answers by ${answerer.name}, from your documents. Models make mistakes.`}
    </p>
  );
}
