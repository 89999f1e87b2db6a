import { checksum } from './checksum.ts';
import { type FileSystem, readIfPresent } from './file-system.ts';

/**
 * What the owning process publishes about a stream next to its log, by overwriting one small file in place and without a sync: how much
 * of the log counts, and signs of life. It is written after the sync, so what it says holds at any time; it follows the acknowledgement
 * within a millisecond or so.
 */
export interface TailMark {
  /** Checksum of the incarnation. */
  readonly salt: number;
  /** The owner that wrote it. Below the lock's generation: the present owner has not looked at this stream yet. */
  readonly generation: number;
  /** Bytes of the log that readers may see. */
  readonly visibleBytes: number;
  /** Bytes of the log that are on disk; as many, unless the store leaves syncing to the operating system. */
  readonly durableBytes: number;
  /** Renewals of the lease. */
  readonly beat: number;
  /** Last write, in ms since the Unix epoch by the store's clock. */
  readonly touchedAt: number;
}

/** Size of a tail mark; one that is never crossed by a page. */
const TAIL_MARK_BYTES = 48;
const MAGIC = 0x6c_54_6e_50;

/** Encodes a mark into `target`, which is {@link TAIL_MARK_BYTES} long. */
export function encodeTailMark(mark: TailMark, target: Buffer = Buffer.alloc(TAIL_MARK_BYTES)): Buffer {
  target.writeUInt32LE(MAGIC, 0);
  target.writeUInt32LE(mark.salt, 8);
  target.writeUInt32LE(mark.generation, 12);
  target.writeUIntLE(mark.visibleBytes, 16, 6);
  target.writeUIntLE(mark.durableBytes, 22, 6);
  target.writeUIntLE(mark.beat, 28, 6);
  target.writeDoubleLE(mark.touchedAt, 40);
  target.writeUInt32LE(checksum(target.subarray(8, TAIL_MARK_BYTES)), 4);
  return target;
}

/** Decodes a mark; null when it is damaged. */
export function decodeTailMark(bytes: Buffer): TailMark | null {
  if (bytes.length < TAIL_MARK_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  if (bytes.readUInt32LE(4) !== checksum(bytes.subarray(8, TAIL_MARK_BYTES))) return null;
  return {
    salt: bytes.readUInt32LE(8),
    generation: bytes.readUInt32LE(12),
    visibleBytes: bytes.readUIntLE(16, 6),
    durableBytes: bytes.readUIntLE(22, 6),
    beat: bytes.readUIntLE(28, 6),
    touchedAt: bytes.readDoubleLE(40),
  };
}

/** How often a damaged mark is read again before it counts as such: the owner may be writing it at this moment. */
const ATTEMPTS = 4;

/** Reads a mark; `absent` when there is no file, null when it is damaged for good. */
export async function readTailMark(fs: FileSystem, path: string): Promise<TailMark | null | 'absent'> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const bytes = await readIfPresent(fs, path);
    if (!bytes) return 'absent';
    const mark = decodeTailMark(bytes);
    if (mark) return mark;
  }
  return null;
}
