import { getStreamWriter, type StreamStore } from '@perennial/core';

import type { ChatEvent } from '../../lib/chat.ts';
import { messagesStreamId } from '../../lib/ids.ts';
import { orThrow } from '../or-throw.ts';

/** What is noted, and where. */
export interface ChatNote {
  readonly chatId: string;
  /** Of the request. */
  readonly id: string;
  readonly event: ChatEvent;
}

/** Notes a request in its conversation. However often it is repeated, the conversation has it once: the request is its own producer. */
export async function note(store: StreamStore, { chatId, id, event }: ChatNote): Promise<void> {
  const writer = getStreamWriter<ChatEvent>({
    store,
    streamId: messagesStreamId(chatId),
    producer: { id, epoch: 0, seq: 0 },
  });
  orThrow(await writer.write(event));
  orThrow(await writer.flush());
}
