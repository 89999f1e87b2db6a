/** Next calls this once when a server starts: imports that the last one did not finish go on, before anybody looks. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const { resumeImports } = await import('./server/knowledge/resume-imports.ts');
  await resumeImports();
}
