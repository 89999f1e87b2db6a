import { InvalidArgumentError, quote } from '../log/errors.ts';

/** Largest number of arguments that `String.fromCharCode` takes everywhere. */
const CHUNK = 8_192;

/** Encodes bytes in standard, padded base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(binary);
}

/** @throws {@link InvalidArgumentError} unless `text` is base64. */
export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new InvalidArgumentError('base64', `Bytes travel in base64; got ${quote(text)}.`);
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
