/** Runs tasks one at a time, in the order of the calls. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

/** Creates an {@link Exclusive}. A task that fails does not hinder the next. */
export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
