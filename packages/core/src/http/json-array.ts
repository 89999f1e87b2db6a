const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;

/** A string without escapes, which is one that ends at the next quote. */
const STRING = '"[ !#-\\[\\]-\\uffff]*"';
const SCALAR = `(?:${STRING}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null)`;
const MEMBER = `${STRING}:${SCALAR}`;
const FLAT_VALUE = new RegExp(`${SCALAR}|\\{(?:${MEMBER}(?:,${MEMBER})*)?\\}`, 'y');
/** Bounds what the regular expression has to remember for one value. */
const MAX_FLAT_LENGTH = 1_048_576;

/** The values of a JSON text, as the texts they were written as. */
export interface JsonValues {
  /** The elements when the text is an array (one level only), else the text itself. Trimmed, otherwise untouched. */
  readonly values: readonly string[];
  /** Deepest nesting of arrays and objects; 0 for a bare string, number or literal. */
  readonly depth: number;
}

/**
 * Splits a JSON text into values without re-encoding them: `1.0`, `1e2`, big integers, escapes and key order stay as they were written.
 *
 * The text must be valid JSON or the values are meaningless; {@link isJson} tells. Depth is right for any text, which is why this comes
 * first: a parser need not be shown what is too deep.
 */
export function splitJson(text: string): JsonValues {
  const commas: number[] = [];
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > deepest) deepest = depth;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        if (depth === 1) commas.push(i);
        break;
    }
  }
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return { values: [trimmed], depth: deepest };
  return { values: elements(text, commas), depth: deepest };
}

/**
 * Checks and splits a scalar, a flat object or an array of those without white space and escapes, as those of chunks mostly are, in a third
 * of the time that {@link splitJson} and {@link isJson} take (10 against 31 us for 100 chunks). Null for any other text, valid or not.
 */
export function splitFlat(text: string): string[] | null {
  const end = text.length - 1;
  if (end > MAX_FLAT_LENGTH) return null;
  if (text.charCodeAt(0) !== OPEN_ARRAY) {
    FLAT_VALUE.lastIndex = 0;
    return FLAT_VALUE.test(text) && FLAT_VALUE.lastIndex > end ? [text] : null;
  }
  if (text.charCodeAt(end) !== CLOSE_ARRAY) return null;
  const values: string[] = [];
  for (let start = 1; ; start++) {
    FLAT_VALUE.lastIndex = start;
    if (!FLAT_VALUE.test(text)) return null;
    values.push(text.slice(start, FLAT_VALUE.lastIndex));
    start = FLAT_VALUE.lastIndex;
    if (start === end) return values;
    if (text.charCodeAt(start) !== COMMA) return null;
  }
}

/** True when `text` is one JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function elements(text: string, commas: readonly number[]): string[] {
  const end = text.lastIndexOf(']');
  let start = text.indexOf('[') + 1;
  if (commas.length === 0 && text.slice(start, end).trim() === '') return [];
  const values: string[] = [];
  for (const comma of commas) {
    values.push(text.slice(start, comma).trim());
    start = comma + 1;
  }
  values.push(text.slice(start, end).trim());
  return values;
}

/** Index of the quote that closes the string opened at `open`, or the text's length. */
function endOfString(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close !== -1; close = text.indexOf('"', close + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(close - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return close;
  }
  return text.length;
}
