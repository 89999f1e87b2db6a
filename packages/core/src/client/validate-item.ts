import type { StandardSchemaV1 } from '@standard-schema/spec';

import { StreamItemError, type StreamItemIssue } from './stream-item-error.ts';

/**
 * Passes a value through a schema (https://standardschema.dev): at once where the schema answers at once, else as a promise.
 *
 * @throws {@link StreamItemError} naming the position, for a value that does not fit; the promise rejects with it.
 */
export function validateItem<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
  position: number,
): T | Promise<T> {
  let result: ReturnType<(typeof schema)['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(value);
  } catch (cause) {
    throw new StreamItemError(position, `made its schema fail: ${String(cause)}`, { cause });
  }
  return result instanceof Promise ? result.then((late) => unwrap(late, position)) : unwrap(result, position);
}

function unwrap<T>(result: StandardSchemaV1.Result<T>, position: number): T {
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ message, path = [] }): StreamItemIssue => {
    const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
    return { message, path: keys.join('.') };
  });
  const [first] = issues;
  const where = first?.path ? ` at ${first.path}` : '';
  throw new StreamItemError(position, `does not fit the schema${where}: ${first?.message ?? 'no reason given'}`, {
    issues,
  });
}
