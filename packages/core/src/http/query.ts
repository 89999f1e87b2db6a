import { badRequest } from './problem.ts';

/** Query parameters of a request. A parameter given twice is an error: which one counts would be a guess. */
export interface Query {
  has(name: string): boolean;
  /** The value, or undefined; throws a 400 when the parameter is there twice. */
  text(name: string): string | undefined;
  /** The value as an integer from 0 to 2^53 - 1; throws a 400 for anything else. */
  count(name: string): number | undefined;
}

const COUNT = /^(0|[1-9]\d{0,15})$/;

/** Reads the query of a URL, with or without its question mark. */
export function readQuery(search: string): Query {
  const searchParams = new URLSearchParams(search);
  const text = (name: string): string | undefined => {
    const values = searchParams.getAll(name);
    if (values.length > 1)
      throw badRequest(
        name,
        `The query parameter \`${name}\` may be given only once; it is there ${values.length} times.`,
      );
    return values[0];
  };
  return {
    has: (name) => searchParams.has(name),
    text,
    count(name) {
      const value = text(name);
      return value === undefined ? undefined : parseCount(name, value);
    },
  };
}

/** Parses a plain decimal integer from 0 to 2^53 - 1; throws a 400 that names the parameter or header. */
export function parseCount(name: string, value: string): number {
  const count = COUNT.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(count))
    throw badRequest(
      name,
      `\`${name}\` must be an integer from 0 to 2^53 - 1 in plain decimal digits; got ${JSON.stringify(value.slice(0, 40))}.`,
    );
  return count;
}
