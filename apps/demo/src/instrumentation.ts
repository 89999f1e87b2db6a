/** Next calls this once when a server starts. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const { recoverAnswers } = await import('./server/recover-answers.ts');
  // Not waited for: a store that is away must not keep the server from starting.
  void recoverAnswers();
}
