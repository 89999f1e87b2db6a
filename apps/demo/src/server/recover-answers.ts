import { demo } from './demo.ts';
import { logError } from './log-error.ts';

/**
 * Goes on with the answers that a crash or another server left open, now and for as long as this server runs. Never rejects.
 */
export async function recoverAnswers(): Promise<void> {
  const { answers } = demo();
  // A server that stops on purpose hands its answers over, so that nobody has to wait for its lease.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void answers.close());
  try {
    await answers.recover();
  } catch (error) {
    logError('Answers that were left open could not be taken up', error);
  }
}
