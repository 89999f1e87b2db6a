/**
 * Makes a task that callers share: a call while it runs gets the next run, together with all others that come meanwhile, because the
 * present one may have looked already. `merge` combines their wishes for that run.
 */
export function coalesce<T>(task: (wish: T) => Promise<void>, merge: (a: T, b: T) => T): (wish: T) => Promise<void> {
  let running: Promise<void> | null = null;
  let next: { wish: T; readonly done: Promise<void> } | null = null;

  function start(wish: T): Promise<void> {
    running = task(wish).finally(() => {
      running = null;
    });
    return running;
  }

  return (wish) => {
    if (!running) return start(wish);
    if (next) {
      next.wish = merge(next.wish, wish);
      return next.done;
    }
    const follow = (): Promise<void> => {
      const merged = next?.wish ?? wish;
      next = null;
      return start(merged);
    };
    next = { wish, done: running.then(follow, follow) };
    return next.done;
  };
}
