/** The service against a local endpoint that speaks the wire format, and against one that does not. */
import type { ServerResponse } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { type AIFinish, type AIOptions, AIService, type AIServiceOptions } from '../../src/index.ts';
import {
  beginStream,
  event,
  type FakeEndpoint,
  sendTokens,
  startEndpoint,
  tokenEvent,
} from '../support/fake-endpoint.ts';

let endpoint: FakeEndpoint | null = null;
const waits: number[] = [];
afterEach(async () => {
  await endpoint?.close();
  endpoint = null;
  waits.length = 0;
});

async function serviceFor(
  answer: (response: ServerResponse, index: number) => void,
  options: Partial<AIServiceOptions> = {},
): Promise<AIService> {
  endpoint = await startEndpoint(answer);
  return new AIService({
    model: 'test-1',
    baseUrl: endpoint.baseUrl,
    sleep: async (ms) => void waits.push(ms),
    ...options,
  });
}

async function tokensOf(service: AIService, options?: AIOptions): Promise<string[]> {
  const tokens: string[] = [];
  for await (const token of service.streamCompletion('Write a story', options)) tokens.push(token);
  return tokens;
}

const message = { role: 'assistant', content: 'Once upon a time' };
const completion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'test-1',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
};
const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};

describe('a good answer', () => {
  it('streams tokens and reports usage', async () => {
    const finishes: AIFinish[] = [];
    const service = await serviceFor((response) => sendTokens(response, ['Once', ' upon']));
    expect(await tokensOf(service, { system: 'Be brief', onFinish: (finish) => finishes.push(finish) })).toEqual([
      'Once',
      ' upon',
    ]);
    expect(finishes).toEqual([{ reason: 'stop', model: 'test-1', usage: { inputTokens: 5, outputTokens: 2 } }]);
    expect(endpoint?.requests[0]?.body).toMatchObject({
      model: 'test-1',
      stream: true,
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Write a story' },
      ],
    });
  });

  it('completes', async () => {
    let finish: AIFinish | undefined;
    const service = await serviceFor((response) => json(response, 200, completion));
    expect(await service.complete('Hi', { onFinish: (done) => (finish = done), maxTokens: 10 })).toBe(message.content);
    expect(finish).toEqual({ reason: 'stop', model: 'test-1', usage: { inputTokens: 3, outputTokens: 4 } });
    expect(endpoint?.requests[0]?.body).toMatchObject({ max_tokens: 10 });
  });

  it('puts tokens together that arrive in pieces of bytes', async () => {
    const bytes = Buffer.from(tokenEvent('früh ☀️') + tokenEvent(null, 'stop') + event('[DONE]'));
    const service = await serviceFor((response) => {
      beginStream(response);
      let at = 0;
      const more = (): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, (at += 7)), () => setImmediate(more));
      };
      more();
    });
    expect(await tokensOf(service)).toEqual(['früh ☀️']);
  });

  it('does not send the key of the environment to another endpoint', async () => {
    process.env['OPENAI_API_KEY'] = 'secret-of-openai';
    try {
      const service = await serviceFor((response) => json(response, 200, completion));
      await service.complete('Hi');
      expect(JSON.stringify(endpoint?.requests[0]?.headers)).not.toContain('secret-of-openai');
    } finally {
      delete process.env['OPENAI_API_KEY'];
    }
  });
});

describe('before the first token, a failure that may pass is retried', () => {
  it('after a refusal, as long as the endpoint asks to wait', async () => {
    const service = await serviceFor((response, index) => {
      if (index === 0) json(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '3' });
      else if (index === 1) json(response, 503, { error: { message: 'busy' } });
      else sendTokens(response, ['ok']);
    });
    expect(await tokensOf(service)).toEqual(['ok']);
    expect(waits).toEqual([3_000, 500]);
  });

  it('after a connection that closed without a token', async () => {
    const service = await serviceFor((response, index) => {
      beginStream(response);
      if (index === 0) response.write(': hello\n\n', () => response.destroy());
      else response.end(tokenEvent('ok') + tokenEvent(null, 'stop'));
    });
    expect(await tokensOf(service)).toEqual(['ok']);
  });

  it('until the retries are used up', async () => {
    const service = await serviceFor((response) => json(response, 500, { error: { message: 'broken' } }), {
      maxRetries: 1,
    });
    await expect(tokensOf(service)).rejects.toMatchObject({ code: 'AI_REFUSED', status: 500, retryable: true });
    expect(endpoint?.requests).toHaveLength(2);
  });

  it('but not when the request itself is wrong', async () => {
    const service = await serviceFor((response) => json(response, 400, { error: { message: 'no such model' } }));
    await expect(tokensOf(service)).rejects.toMatchObject({ code: 'AI_REFUSED', status: 400, retryable: false });
    expect(endpoint?.requests).toHaveLength(1);
  });

  it('also for a whole answer that was cut', async () => {
    const service = await serviceFor((response, index) => {
      if (index > 0) return json(response, 200, completion);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"choices": [', () => response.destroy());
    });
    expect(await service.complete('Hi')).toBe(message.content);
  });
});

describe('after the first token nothing is retried', () => {
  const cases: Record<string, { readonly send: (response: ServerResponse) => void; readonly code: string }> = {
    'a connection that closes without a finish reason': { send: (response) => response.end(), code: 'AI_INCOMPLETE' },
    'a connection that breaks': { send: (response) => response.destroy(), code: 'AI_INCOMPLETE' },
    'an event that is no JSON': { send: (response) => response.end(event('{"choices": [')), code: 'AI_MALFORMED' },
    'an event that is no object': { send: (response) => response.end(event('42')), code: 'AI_MALFORMED' },
    'an error event': {
      send: (response) => response.end(event({ error: { message: 'overloaded' } })),
      code: 'AI_REFUSED',
    },
  };

  it.each(Object.entries(cases))('%s', async (_name, { send, code }) => {
    const service = await serviceFor((response) => {
      beginStream(response);
      response.write(tokenEvent('half'), () => setImmediate(() => send(response)));
    });
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const token of service.streamCompletion('Hi')) seen.push(token);
    };
    await expect(loop()).rejects.toMatchObject({ name: 'AIError', code });
    expect(seen).toEqual(['half']);
    expect(endpoint?.requests).toHaveLength(1);
  });

  it('an endpoint that falls silent', async () => {
    const service = await serviceFor(
      (response) => {
        beginStream(response);
        response.write(tokenEvent('half'));
      },
      { idleTimeoutMs: 50 },
    );
    await expect(tokensOf(service)).rejects.toMatchObject({ code: 'AI_TIMEOUT' });
    expect(endpoint?.requests).toHaveLength(1);
  });
});

describe('limits and aborts', () => {
  it('gives up on an endpoint that does not answer', async () => {
    const service = await serviceFor(() => {}, { timeoutMs: 50, maxRetries: 1 });
    await expect(service.complete('Hi')).rejects.toMatchObject({ code: 'AI_TIMEOUT' });
    expect(endpoint?.requests).toHaveLength(2);
  });

  it('closes the connection when the consumer leaves', async () => {
    const service = await serviceFor((response) => {
      beginStream(response);
      response.write(tokenEvent('one'));
    });
    for await (const token of service.streamCompletion('Hi')) {
      expect(token).toBe('one');
      break;
    }
    await endpoint?.hungUp;
  });

  it('reports an abort as one', async () => {
    const caller = new AbortController();
    const service = await serviceFor((response) => {
      beginStream(response);
      response.write(tokenEvent('one'));
    });
    const stream = service.streamCompletion('Hi', { signal: caller.signal });
    await stream.next();
    const pending = stream.next();
    caller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'ABORTED' });
    await endpoint?.hungUp;
  });

  it('names an endpoint that cannot be reached', async () => {
    const service = await serviceFor(() => {});
    await endpoint?.close();
    endpoint = null;
    await expect(service.complete('Hi')).rejects.toMatchObject({
      code: 'AI_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(waits).toHaveLength(2);
  });

  it('refuses options that make no sense', () => {
    expect(() => new AIService({ model: '' })).toThrow(/`model`/);
    expect(() => new AIService({ model: 'm', baseUrl: 'nowhere' })).toThrow(/`baseUrl`.*"nowhere"/);
    expect(() => new AIService({ model: 'm', timeoutMs: 0 })).toThrow(/`timeoutMs`/);
  });
});
