// Format characters that reorder text can make one command look like another.
const UNSAFE = /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

const escape = (character: string): string => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/**
 * The text with control characters escaped, for a terminal: whoever may write a stream could otherwise move the cursor, change the title or
 * worse on the screen of whoever reads it. Inside JSON the result is the same JSON.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** As {@link printable}, but line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escape(character),
  );
}
