/** Tries one append and prints what became of it as JSON, then waits to be killed. `one-writer.ts <directory>`. */
import { createFileStreamStore, StoreLockedError } from '../../src/index.ts';
import { STREAM } from './scenario.ts';

const [directory = ''] = process.argv.slice(2);
const store = createFileStreamStore({ directory });
process.stdout.write('ready\n');
// All contenders start at once: when their input says so.
process.stdin.once('data', () => void run());

async function run(): Promise<void> {
  let answer: object;
  try {
    await store.create(STREAM);
    await store.append(STREAM, { segments: [{ records: [{ data: String(process.pid) }] }] });
    answer = { won: process.pid };
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
    answer = { lostTo: error.owner?.pid, generation: error.owner?.generation };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
