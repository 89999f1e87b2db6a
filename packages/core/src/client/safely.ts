/** Runs a callback of the user. What it throws surfaces as an uncaught exception, instead of breaking what called it. */
export function safely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
