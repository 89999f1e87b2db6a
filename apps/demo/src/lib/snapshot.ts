import type { StreamEnd } from '@perennial/core';

import type { Answer } from './answer.ts';
import type { Chat } from './chat.ts';

/** An answer that has ended, whole. */
export interface EndedAnswer {
  readonly answer: Answer;
  readonly end: StreamEnd;
}

/** A conversation as the server knows it when a page is rendered; the browser goes on from here. */
export interface ChatSnapshot {
  readonly chatId: string;
  readonly chat: Chat;
  /** Position in the conversation's stream at which `chat` was taken. */
  readonly position: number;
  /** Ended answers by stream id. Open ones are left to the browser, which follows them live. */
  readonly ended: Readonly<Record<string, EndedAnswer>>;
}
