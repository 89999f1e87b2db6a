/** Next calls this once when a server starts: what the last one did not finish goes on, before anybody looks. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const { recoverAnswers } = await import('./server/recover-answers.ts');
  const { resumeImports } = await import('./server/knowledge/resume-imports.ts');
  // Not waited for: a store that is away must not keep the server from starting.
  void recoverAnswers();
  void resumeImports();
}
