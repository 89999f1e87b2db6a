import { checksum } from './checksum.ts';
import { FRAME_HEADER_BYTES, FRAME_MAGIC, type FrameHeader, frameSeed, readFrameHeader } from './frame.ts';

/** Reads `bytes` into `target` from byte `at` of a log; resolves with fewer only at the end of the file. */
export type ReadBytes = (target: Buffer, at: number) => Promise<number>;

/** One step through a log. */
export type CursorStep =
  /** A valid frame from `offset` to `next`. `payload` is null when it was not wanted; else its checksum is right, and it is valid until the next `fill`. */
  | {
      readonly kind: 'frame';
      readonly header: FrameHeader;
      readonly payload: Buffer | null;
      readonly offset: number;
      readonly next: number;
    }
  | { readonly kind: 'end'; readonly offset: number }
  /** `cut`: the frame goes on beyond the end of the log. `damaged`: all of its bytes are there, and they are not what was written. */
  | { readonly kind: 'cut' | 'damaged'; readonly offset: number };

/** Options of {@link FrameCursor}. */
export interface FrameCursorOptions {
  readonly read: ReadBytes;
  readonly salt: number;
  /** Offset of a frame. */
  readonly start: number;
  /** End of the log, or of the part to look at. */
  readonly end: number;
  /** Bytes per read. @default 256 KiB */
  readonly chunkBytes?: number;
  /** Read into this as long as it is large enough, else into a fresh one each time. @default none */
  readonly buffer?: Buffer | null;
}

const DEFAULT_CHUNK_BYTES = 262_144;

/**
 * Walks over the frames of a log. `step` is synchronous and returns null when it needs `fill`: a promise per frame would double the cost
 * of opening a log of small frames.
 */
export class FrameCursor {
  readonly #read: ReadBytes;
  readonly #salt: number;
  readonly #chunkBytes: number;
  readonly #spare: Buffer | null;
  #end: number;
  #offset: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** Offset in the log of the buffer's first byte. */
  #bufferAt = 0;
  #needed = 0;

  constructor({ read, salt, start, end, chunkBytes = DEFAULT_CHUNK_BYTES, buffer = null }: FrameCursorOptions) {
    this.#read = read;
    this.#salt = salt;
    this.#offset = start;
    this.#end = end;
    this.#chunkBytes = chunkBytes;
    this.#spare = buffer;
  }

  /** Where the next frame begins. */
  get offset(): number {
    return this.#offset;
  }

  /** The next frame; null when more bytes have to be read first. Stands still at the end and at a bad frame. */
  step(wantsPayload: (header: FrameHeader) => boolean): CursorStep | null {
    const offset = this.#offset;
    const rest = this.#end - offset;
    if (rest <= 0) return { kind: 'end', offset };
    if (rest < FRAME_HEADER_BYTES) return { kind: 'cut', offset };
    const at = offset - this.#bufferAt;
    if (!this.#has(at, FRAME_HEADER_BYTES)) return null;
    const header = readFrameHeader(this.#buffer, at, frameSeed(this.#salt, offset));
    if (!header) return { kind: 'damaged', offset };
    const length = FRAME_HEADER_BYTES + header.payloadBytes;
    if (length > rest) return { kind: 'cut', offset };
    const next = offset + length;
    if (!wantsPayload(header)) {
      this.#offset = next;
      return { kind: 'frame', header, payload: null, offset, next };
    }
    if (!this.#has(at, length)) return null;
    const payload = this.#buffer.subarray(at + FRAME_HEADER_BYTES, at + length);
    if (checksum(payload) !== header.payloadChecksum) return { kind: 'damaged', offset };
    this.#offset = next;
    return { kind: 'frame', header, payload, offset, next };
  }

  /** Reads what {@link step} asked for, and the rest of a chunk. */
  async fill(): Promise<void> {
    const wanted = Math.min(Math.max(this.#needed, this.#chunkBytes), this.#end - this.#offset);
    const spare = this.#spare;
    const buffer = spare && spare.length >= wanted ? spare.subarray(0, wanted) : Buffer.allocUnsafe(wanted);
    const length = await this.#read(buffer, this.#offset);
    this.#buffer = buffer.subarray(0, length);
    this.#bufferAt = this.#offset;
    // The file is shorter than it was when `end` was taken; a frame that needs more is cut.
    if (length < wanted) this.#end = this.#offset + length;
  }

  /** The next step, read from the file where necessary. */
  async next(wantsPayload: (header: FrameHeader) => boolean): Promise<CursorStep> {
    for (;;) {
      const step = this.step(wantsPayload);
      if (step) return step;
      await this.fill();
    }
  }

  #has(at: number, length: number): boolean {
    if (at >= 0 && at + length <= this.#buffer.length) return true;
    this.#needed = length;
    return false;
  }
}

/** Options of {@link hasLaterCommit}. */
export interface LaterCommitOptions {
  readonly read: ReadBytes;
  readonly salt: number;
  /** Offset of the bad frame. */
  readonly offset: number;
  readonly end: number;
}

/**
 * True when a valid frame behind the bad one proves that the bad one had been durable. A frame of the same unfinished write proves
 * nothing: the pages of a write reach the disk in any order.
 */
export async function hasLaterCommit({ read, salt, offset, end }: LaterCommitOptions): Promise<boolean> {
  let at = offset + 1;
  while (end - at >= FRAME_HEADER_BYTES) {
    const buffer = Buffer.allocUnsafe(Math.min(DEFAULT_CHUNK_BYTES, end - at));
    const length = await read(buffer, at);
    let found = 0;
    for (;;) {
      found = buffer.subarray(0, length).indexOf(FRAME_MAGIC, found);
      if (found === -1 || found + FRAME_HEADER_BYTES > length) break;
      const header = readFrameHeader(buffer, found, frameSeed(salt, at + found));
      if (header && header.syncedBytes > offset) return true;
      found++;
    }
    if (length < buffer.length || at + length >= end) return false;
    // Chunks overlap, so that a header on the border is seen whole.
    at += length - FRAME_HEADER_BYTES + 1;
  }
  return false;
}
