/**
 * Follows a URL with a bare `EventSource`, as a page without any library would: prints each event as a line of JSON, and ends when the
 * server wants it to stop. Run with `--experimental-eventsource`.
 */
const source = new EventSource(String(process.argv[2]));
const print = (type: string, event?: MessageEvent): void =>
  void process.stdout.write(`${JSON.stringify({ type, ...(event && { id: event.lastEventId, data: event.data }) })}\n`);

source.addEventListener('open', () => print('open'));
source.addEventListener('data', (event) => print('data', event));
source.addEventListener('control', (event) => print('control', event));
source.addEventListener('error', () => {
  if (source.readyState !== EventSource.CLOSED) return;
  print('closed');
  process.exit();
});

// Between two responses nothing else keeps the process alive.
setInterval(() => {}, 60_000);
