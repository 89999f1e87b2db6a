/** Publishes batches to the readers of one kind, one per two turns of the event loop, and the marker last. */
import { appState } from '../../app-state.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const payload = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });

export async function POST(request) {
  const { kind, id, batches, marker } = await request.json();
  const publish = kind === 'bare' ? publishBare : (data) => publishOurs(id, data);
  for (let n = 0; n < batches; n++) {
    await publish(payload);
    await turn();
    await turn();
  }
  await publish(marker);
  return new Response(null, { status: 204 });
}

export async function PUT(request) {
  const { id } = await request.json();
  await appState().store.create(id);
  return new Response(null, { status: 204 });
}

async function publishOurs(id, data) {
  await appState().store.append(id, { segments: [{ records: [{ data }] }] });
}

async function publishBare(data) {
  const { readers, position } = appState();
  appState().position = position + 1;
  const offset = `${String(position + 1).padStart(16, '0')}_0000000000000000`;
  const control = JSON.stringify({ streamNextOffset: offset, streamCursor: '1234567', upToDate: true });
  const bytes = Buffer.from(
    `id: ${offset}\nevent: data\ndata:[${data}]\n\nid: ${offset}\nevent: control\ndata:${control}\n\n`,
  );
  for (const reader of readers) reader.enqueue(bytes);
}
