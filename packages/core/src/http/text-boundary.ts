const CR = 0x0d;

/**
 * How many bytes of `bytes` are whole characters of UTF-8: what comes after is the start of a code point, or a carriage return that may
 * belong to a line feed, and must wait for the bytes that follow.
 *
 * Invalid sequences count as whole, since no further byte can make them valid.
 */
export function wholeTextLength(bytes: Uint8Array): number {
  const { length } = bytes;
  if (bytes[length - 1] === CR) return length - 1;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) return back < sequenceLength(byte) ? length - back : length;
  }
  return length;
}

/** Length of the sequence that a leading byte starts; 1 for a byte that can start none. */
function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}
