/** An async generator of these values, as a source for examples and tests. */
export async function* asyncGeneratorOf<T>(...values: readonly T[]): AsyncGenerator<T, undefined, undefined> {
  yield* values;
  return undefined;
}
