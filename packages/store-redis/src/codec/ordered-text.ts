/**
 * Text encodings whose bytes sort like the text does in JavaScript.
 *
 * JavaScript compares UTF-16 code units, Redis compares bytes. The bytes of UTF-8 sort by code point, which is the same order except
 * for the planes above the first: there each surrogate is encoded by itself (CESU-8).
 */

const SURROGATE = /[\ud800-\udfff]/;

/** Encodes text so that bytes sort like code units. Most text needs no special encoding and is returned as it is. */
export function encodeOrdered(text: string): string | Buffer {
  if (!SURROGATE.test(text)) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}

/** Decodes what {@link encodeOrdered} encoded. */
export function decodeOrdered(bytes: Buffer): string {
  if (!hasSurrogate(bytes)) return bytes.toString();
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    text +=
      length === 3
        ? String.fromCharCode(
            ((first & 0x0f) << 12) | (((bytes[i + 1] ?? 0) & 0x3f) << 6) | ((bytes[i + 2] ?? 0) & 0x3f),
          )
        : bytes.toString('utf8', i, i + length);
    i += length;
  }
  return text;
}

/** Encodes a stream sequence as UTF-16BE, which sorts like code units for every text. */
export function encodeUtf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Decodes what {@link encodeUtf16} encoded. */
export function decodeUtf16(bytes: Buffer): string {
  return Buffer.from(bytes).swap16().toString('utf16le');
}

/** In CESU-8 a surrogate starts with ED A0 to ED BF, which well-formed UTF-8 never contains. */
function hasSurrogate(bytes: Buffer): boolean {
  for (let i = bytes.indexOf(0xed); i !== -1; i = bytes.indexOf(0xed, i + 1))
    if ((bytes[i + 1] ?? 0) >= 0xa0) return true;
  return false;
}
