import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Thrown by a parse function for a value that does not fit. */
export class Misfit extends Error {
  readonly path: readonly (string | number)[];

  constructor(message: string, ...path: (string | number)[]) {
    super(message);
    this.path = path;
  }
}

/** A Standard Schema from a function that returns the parsed value or throws a {@link Misfit}; `late`: one that answers later. */
export function schemaOf<T>(parse: (value: unknown) => T, { late = false } = {}): StandardSchemaV1<unknown, T> {
  const validate = (value: unknown): StandardSchemaV1.Result<T> => {
    try {
      return { value: parse(value) };
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      return { issues: [{ message: error.message, path: error.path }] };
    }
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: late ? (value) => Promise.resolve().then(() => validate(value)) : validate,
    },
  };
}
