import { getStreamReader, type StreamStore } from '@perennial/core';

/** The text of a stream from a character on. Nothing is read before somebody asks for text. */
export function readText(store: StreamStore, streamId: string, skipCharacters: number): ReadableStream<string> {
  const reader = getStreamReader<Uint8Array>({ store, streamId });
  // Records hold whole characters, so that each can be decoded by itself.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let toSkip = skipCharacters;
  return new ReadableStream<string>(
    {
      async pull(controller) {
        for (;;) {
          const batch = await reader.readBatch();
          if (!batch.ok) {
            // A stream that was stopped has all its text.
            if (batch.error.code === 'ENDED' || batch.error.code === 'CANCELLED') controller.close();
            else controller.error(batch.error);
            return;
          }
          const text = batch.value.map((bytes) => decoder.decode(bytes)).join('');
          const rest = text.slice(toSkip);
          toSkip = Math.max(0, toSkip - text.length);
          if (rest === '') continue;
          controller.enqueue(rest);
          return;
        }
      },
      cancel: () => reader.close(),
    },
    { highWaterMark: 0 },
  );
}
