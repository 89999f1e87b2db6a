import { StreamError } from '../log/errors.ts';
import type { StreamRecord } from '../log/record.ts';
import type { ReadResult } from '../log/store.ts';
import { concatBytes } from './body.ts';
import type { PageEncoder } from './page-encoder.ts';

/** What a page body is made from. */
export interface PageBodyOptions {
  readonly encoder: PageEncoder;
  /** The first records, read already. */
  readonly records: readonly StreamRecord[];
  /** Position after the page. */
  readonly to: number;
  /** Reads records at a position. */
  readonly read: (position: number) => Promise<ReadResult>;
  /** Incarnation of the stream the page belongs to. */
  readonly incarnation: string;
  /** Is told, once, why the body cannot be finished. */
  readonly onError: (error: unknown) => void;
}

/**
 * The body of a page: all of it when all of it is there, else a stream that reads on as the client takes them, so that a slow client
 * costs one piece and not the page. A body that cannot be finished fails; it never ends early.
 */
export function createPageBody({
  encoder,
  records,
  to,
  read,
  incarnation,
  onError,
}: PageBodyOptions): string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const from = records[0]?.position ?? to;
  const first = records.length > to - from ? records.slice(0, to - from) : records;
  let position = from + first.length;
  if (position >= to) return encoder.encodePage(first);

  const readPiece = async (): Promise<readonly StreamRecord[]> => {
    const page = await read(position);
    if (page.head.incarnation !== incarnation || page.records.length === 0) {
      throw new StreamError(
        'STORE_ERROR',
        `The stream was replaced or cut at position ${position} while a page of it was being sent.`,
      );
    }
    return page.records.length > to - position ? page.records.slice(0, to - position) : page.records;
  };
  const nextChunk = async (): Promise<Uint8Array> => {
    // A piece of nothing but supersede records has no bytes, and an empty chunk is none: read on.
    for (;;) {
      const piece = await readPiece();
      position += piece.length;
      const bytes = encoder.encode(piece);
      if (position >= to) return concatBytes([bytes, encoder.finish()]);
      if (bytes.byteLength > 0) return bytes;
    }
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(first)),
      async pull(controller) {
        const chunk = await nextChunk().catch((error: unknown) => {
          onError(error);
          throw error;
        });
        controller.enqueue(chunk);
        if (position >= to) controller.close();
      },
    },
    { highWaterMark: 1 },
  );
}
