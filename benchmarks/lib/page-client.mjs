/**
 * Child process: reads a stream to its tail, page by page, over one connection and reports when it is there. A process of its own, so that
 * the client's CPU time is not the server's.
 */
process.on('message', async ({ url }) => {
  let offset = '-1';
  let bytes = 0;
  for (;;) {
    const page = await fetch(`${url}?offset=${offset}`);
    for await (const chunk of page.body) bytes += chunk.byteLength;
    offset = page.headers.get('Stream-Next-Offset');
    if (page.headers.get('Stream-Up-To-Date')) break;
  }
  process.send({ bytes });
});
