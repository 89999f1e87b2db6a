import { createHash } from 'node:crypto';

/**
 * Longest encoded name. File systems allow 255 bytes; the rest is for suffixes of temporary names.
 */
const MAX_NAME_LENGTH = 200;
const LITERAL = 's-';
const HASHED = 'h-';

/**
 * Encodes a stream id as the name of its folder: `s-` and the id with everything but `a-z 0-9 _ -` as `%xx` of its UTF-8 bytes, or `h-`
 * and a SHA-256 when that is too long.
 *
 * Capitals, dots and non-ASCII are escaped too, because file systems that fold case or normalise Unicode would let two ids meet in one
 * folder; the prefix keeps device names such as `nul` harmless.
 */
export function encodeStreamId(id: string): string {
  const name = LITERAL + id.replaceAll(/[^a-z0-9_-]/gu, escapeCharacter);
  if (name.length <= MAX_NAME_LENGTH) return name;
  return HASHED + createHash('sha256').update(id, 'utf8').digest('hex');
}

/** The id of a folder; null for a hashed name (the log itself tells the id) and for names this store did not make. */
export function decodeStreamName(name: string): string | null {
  if (!name.startsWith(LITERAL)) return null;
  try {
    const id = decodeURIComponent(name.slice(LITERAL.length));
    return encodeStreamId(id) === name ? id : null;
  } catch {
    return null;
  }
}

/** True for a name whose id only the log tells. */
export function isHashedName(name: string): boolean {
  return name.startsWith(HASHED) && name.length === HASHED.length + 64;
}

function escapeCharacter(character: string): string {
  let escaped = '';
  for (const byte of Buffer.from(character, 'utf8')) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  return escaped;
}
