/**
 * A writer to be killed. `crash-writer.ts <directory> <from>`: continues producer `p` of the stream at sequence `from`, several appends
 * in flight, and prints `ack <n>` when everything up to sequence n is acknowledged.
 */
import { createFileStreamStore } from '../../src/index.ts';
import { STREAM, textOf } from './scenario.ts';

const [directory = '', from = '0'] = process.argv.slice(2);
const store = createFileStreamStore({ directory, onRecovery: () => undefined });
await store.create(STREAM);
process.stdout.write('ready\n');

let next = Number(from);
let acknowledged = next;

async function write(): Promise<void> {
  for (;;) {
    const seq = next;
    const count = 1 + Math.floor(Math.random() * 4);
    next += count;
    const records = Array.from({ length: count }, (_, i) => ({ data: textOf(seq + i) }));
    const { segments } = await store.append(STREAM, { segments: [{ records, producer: { id: 'p', epoch: 0, seq } }] });
    const status = segments[0]?.status;
    if (status !== 'ok' && status !== 'duplicate')
      throw new Error(`The append was refused: ${JSON.stringify(segments)}`);
    // Appends are answered in their order.
    acknowledged = seq + count;
    process.stdout.write(`ack ${acknowledged}\n`);
  }
}

await Promise.all([write(), write(), write()]);
