/**
 * Creates, fills, ends and deletes streams until it is killed, and prints each step before it begins (`+`) and after it was
 * acknowledged (`=`). `churn-writer.ts <directory> <first number>`.
 */
import { createFileStreamStore } from '../../src/index.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const store = createFileStreamStore({ directory, onRecovery: () => undefined });

async function step<T>(name: string, id: string, run: () => Promise<T>): Promise<void> {
  process.stdout.write(`+ ${name} ${id}\n`);
  await run();
  process.stdout.write(`= ${name} ${id}\n`);
}

process.stdout.write('ready\n');
for (let n = Number(first); ; n++) {
  const id = `churn/${n}`;
  await step('create', id, () => store.create(id, { records: [{ data: `"first of ${id}"` }] }));
  await step('append', id, () =>
    store.append(id, { segments: [{ records: [{ data: `"second of ${id}"` }], end: { outcome: 'completed' } }] }),
  );
  if (n % 2 === 0) await step('delete', id, () => store.delete(id));
}
