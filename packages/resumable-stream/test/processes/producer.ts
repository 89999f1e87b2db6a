/** A process that produces a stream for ever: `producer.ts <redis url> <stream id>`. Tells once the beginning is stored. */
import { createResumableStreamContext } from '../../src/index.ts';

const [url = '', streamId = ''] = process.argv.slice(2);
process.env['REDIS_URL'] = url;
const context = createResumableStreamContext({ waitUntil: null, leaseMs: 1_000 });
let n = 0;
const stream = await context.createNewResumableStream(
  streamId,
  () =>
    new ReadableStream<string>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(`${n++} `);
      },
    }),
);
let told = '';
for await (const text of stream) {
  if (told === '' && text !== '') process.stdout.write('started\n');
  told += text;
}
