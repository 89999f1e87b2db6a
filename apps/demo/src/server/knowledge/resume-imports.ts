import { demo } from '../demo.ts';
import { logError } from '../log-error.ts';

/** Goes on with interrupted imports. Never rejects: a data folder that another process holds must not stop the server. */
export async function resumeImports(): Promise<void> {
  try {
    await demo().importer.resume();
  } catch (error) {
    logError('Interrupted imports could not be resumed', error);
  }
}
