import { checksum } from './checksum.ts';

/**
 * The frame: the unit in which a log grows and is checked. 36 bytes of header, then the payload (`frame-payload.ts`).
 *
 * | bytes | field |
 * |---|---|
 * | 0-3 | magic |
 * | 4-7 | checksum of bytes 8-35, seeded with the log's salt and the frame's offset |
 * | 8-11 | checksum of the payload |
 * | 12-15 | payload length |
 * | 16-19 | number of records |
 * | 20-25 | position of the first record |
 * | 26-31 | bytes of the log known to be on disk when the frame was written |
 * | 32-35 | generation of the writer |
 *
 * All numbers are little-endian. The seed makes a frame valid in one place of one log only: a record that happens to hold the bytes of
 * a frame is never taken for one. The header has a checksum of its own, so that a reader may hop from header to header.
 */
export interface FrameHeader {
  readonly payloadBytes: number;
  readonly payloadChecksum: number;
  readonly count: number;
  /** Position of the first record, or the one the next record will get when there are none. */
  readonly firstPosition: number;
  /**
   * Bytes at the start of the log that were durable before this frame was written. A damaged frame below that of a later, valid frame
   * had been durable, so it is damage; otherwise it belongs to a write that never finished.
   */
  readonly syncedBytes: number;
  readonly generation: number;
}

/** Size of a frame's header. */
export const FRAME_HEADER_BYTES = 36;
/** Longest payload of one frame; a single larger append is refused. */
export const MAX_PAYLOAD_BYTES: number = 0x7fff_ffff;
/** `PnLg`, as it appears in the file. */
const MAGIC = 0x67_4c_6e_50;

/** The magic as bytes, for the search for a frame behind a damaged place. */
export const FRAME_MAGIC: Buffer = Buffer.from('PnLg', 'latin1');

/** Checksum seed of the frame at `offset` of the log with this salt. */
export function frameSeed(salt: number, offset: number): number {
  // A log longer than 4 GiB repeats seeds 4 GiB apart, which is as good as never for what the seed is for.
  return (salt ^ Math.imul(offset % 0x1_0000_0000, 0x9e37_79b1)) >>> 0;
}

/** Writes a header into the first {@link FRAME_HEADER_BYTES} of `frame`. */
export function writeFrameHeader(frame: Buffer, header: FrameHeader, seed: number): void {
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(header.payloadChecksum, 8);
  frame.writeUInt32LE(header.payloadBytes, 12);
  frame.writeUInt32LE(header.count, 16);
  frame.writeUIntLE(header.firstPosition, 20, 6);
  frame.writeUIntLE(header.syncedBytes, 26, 6);
  frame.writeUInt32LE(header.generation, 32);
  frame.writeUInt32LE(checksum(frame.subarray(8, FRAME_HEADER_BYTES), seed), 4);
}

/** Reads the header at `at`, which must lie {@link FRAME_HEADER_BYTES} before the end of `bytes` or earlier; null when it is damaged. */
export function readFrameHeader(bytes: Buffer, at: number, seed: number): FrameHeader | null {
  if (bytes.readUInt32LE(at) !== MAGIC) return null;
  if (bytes.readUInt32LE(at + 4) !== checksum(bytes.subarray(at + 8, at + FRAME_HEADER_BYTES), seed)) return null;
  return {
    payloadChecksum: bytes.readUInt32LE(at + 8),
    payloadBytes: bytes.readUInt32LE(at + 12),
    count: bytes.readUInt32LE(at + 16),
    firstPosition: bytes.readUIntLE(at + 20, 6),
    syncedBytes: bytes.readUIntLE(at + 26, 6),
    generation: bytes.readUInt32LE(at + 32),
  };
}
