/* oxlint-disable no-console -- the examples log as programs would */
/** Examples of the design this package implements, each compiled under strict and run. */
import { asyncGeneratorOf, createStep, createStreamingStep, Pipeline, StreamingPipeline } from '@perennial/pipeline';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { type EmbeddingServer, generateEmbeddings, startEmbeddingServer } from '../support/embeddings.ts';
import { Glob, readFile, splitMarkdown, temporaryFolder } from '../support/fixtures.ts';
import { counted } from '../support/sources.ts';

const EMBEDDING_MODEL = 'test-embedding';
const paragraph = 'The quick brown fox jumps over the lazy dog. '.repeat(30);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: EmbeddingServer;

beforeAll(async () => {
  folder = await temporaryFolder({
    'one.md': paragraph,
    'two.md': paragraph.toUpperCase(),
    'deep/three.md': 'Short.',
    'other.txt': 'No Markdown.',
  });
  server = await startEmbeddingServer();
});
afterAll(async () => {
  await server.close();
  await folder.remove();
});
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));

describe('complete examples', () => {
  it('example 1: basic streaming', async () => {
    const doubleNumbers = createStreamingStep<number, number>('doubleNumbers', async function* ({ input }) {
      for await (const num of input) {
        yield num * 2;
      }
    });

    const pipeline = StreamingPipeline.start<number>().map('doubled', doubleNumbers);

    const results: number[] = [];
    for await (const result of pipeline.execute(asyncGeneratorOf(1, 2, 3))) {
      results.push(result); // 2, 4, 6
    }
    expect(results).toEqual([2, 4, 6]);
  });

  it('example 2: file processing with streaming', async () => {
    const EMBEDDING_URL = server.url;
    const stored: { id: string; embedding: number[] }[] = [];
    const storeEmbedding = async (item: { id: string; embedding: number[] }): Promise<void> => void stored.push(item);
    const streamingFilePipeline = StreamingPipeline.start<{ path: string; pattern: string }>()
      .add(
        'discover',
        createStreamingStep('discover', async function* ({ input }) {
          const glob = new Glob(input.pattern);
          for await (const file of glob.scan({ cwd: input.path })) {
            yield { path: `${input.path}/${file}`, name: file };
          }
        }),
      )

      .map(
        'readFiles',
        createStreamingStep('readFile', async function* ({ input }) {
          for await (const fileEntry of input) {
            try {
              const content = await readFile(fileEntry.path);
              yield { ...content, path: fileEntry.path };
            } catch (error) {
              console.warn(`Error reading ${fileEntry.path}:`, error);
            }
          }
        }),
        { parallel: true, concurrencyLimit: 10 },
      )

      .flatMap(
        'chunks',
        createStreamingStep('splitMarkdown', async function* ({ input }) {
          for await (const file of input) {
            const chunks = await splitMarkdown(
              file.content,
              file.path,
              {},
              {
                minChunkSize: 300,
                maxChunkSize: 1000,
                chunkOverlap: 100,
              },
            );

            for (const chunk of chunks) {
              yield chunk;
            }
          }
        }),
      )

      .batch('batches', 50)

      .map(
        'embeddings',
        createStreamingStep('generateEmbeddings', async function* ({ input }) {
          for await (const batch of input) {
            const contents = batch.map((chunk) => chunk.content);
            const embeddings = await generateEmbeddings(contents, EMBEDDING_URL, EMBEDDING_MODEL);

            const results = batch.map((chunk, i) => ({
              id: chunk.id,
              content: chunk.content,
              metadata: chunk.metadata,
              embedding: embeddings[i]?.embedding || [],
            }));

            yield results;
          }
        }),
      )

      .flatMap(
        'embedded',
        createStreamingStep('unbatch', async function* ({ input }) {
          for await (const batch of input) {
            for (const item of batch) {
              yield item;
            }
          }
        }),
      );

    // Execute - process as stream
    for await (const embedded of streamingFilePipeline.execute({
      path: folder.path,
      pattern: '**/*.md',
    })) {
      // Store to database incrementally
      await storeEmbedding(embedded);
    }
    expect(stored.map(({ id }) => id.slice(folder.path.length + 1)).toSorted()).toEqual([
      'deep/three.md#0',
      'one.md#0',
      'one.md#1',
      'two.md#0',
      'two.md#1',
    ]);
    expect(stored.every(({ embedding }) => embedding.length === 2)).toBe(true);
    expect(server.requests).toContain(5);
  });

  it('example 3: early termination', async () => {
    interface SearchQuery {
      readonly text: string;
    }
    let searched = 0;
    let reranked = 0;
    const vectorSearchStep = createStreamingStep<SearchQuery, number>('vectorSearch', async function* ({ input }) {
      for await (const { text } of input) for (let i = 0; i < 100; i++) yield text.length * 1_000 + searched++;
    });
    const rerankStep = createStreamingStep<number, number>('rerank', async function* ({ input }) {
      for await (const hit of input) {
        reranked++;
        yield -hit;
      }
    });
    const searchPipeline = StreamingPipeline.start<SearchQuery>()
      .add('search', vectorSearchStep)
      .take('topResults', 10) // Only take top 10
      .map('rerank', rerankStep)
      .take('bestResults', 3); // Only take top 3 after reranking

    // Only processes 10 items from search, 3 from rerank
    const results = await searchPipeline.executeToArray({ text: 'q' });
    expect(results).toEqual([-1_000, -1_001, -1_002]);
    expect([searched, reranked]).toEqual([3, 3]);
  });

  it('example 4: pagination', async () => {
    let processed = 0;
    const processStep = createStreamingStep<number, number>('process', async function* ({ input }) {
      for await (const n of input) {
        processed++;
        yield n;
      }
    });
    const getAllItems = (): AsyncIterable<number> => counted().source;
    async function* getPage(pageNumber: number, pageSize: number): AsyncGenerator<number> {
      const pipeline = StreamingPipeline.start<number>()
        .map('process', processStep)
        .skip('skipToPage', pageNumber * pageSize)
        .take('pageItems', pageSize);

      const input = getAllItems();
      for await (const item of pipeline.execute(input)) {
        yield item;
      }
    }

    const page: number[] = [];
    // Get page 2 (items 20-29) without processing all items
    for await (const item of getPage(2, 10)) {
      page.push(item);
    }
    expect(page).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(processed).toBe(30);
  });

  it('example 5: real-time processing', async () => {
    interface LogEntry {
      readonly level: 'info' | 'error';
      readonly message: string;
    }
    const enrichWithContext = createStreamingStep<LogEntry, LogEntry & { host: string }>(
      'enrich',
      async function* ({ input }) {
        for await (const entry of input) yield { ...entry, host: 'web-1' };
      },
    );
    const alerts: number[] = [];
    const sendAlertBatch = createStreamingStep<(LogEntry & { host: string })[], { count: number }>(
      'notify',
      async function* ({ input }) {
        for await (const batch of input) {
          alerts.push(batch.length);
          yield { count: batch.length };
        }
      },
    );
    // Process log stream in real-time
    const logPipeline = StreamingPipeline.start<LogEntry>()
      .filter('errors', (entry) => entry.level === 'error')
      .map('enrich', enrichWithContext)
      .batch('batches', 100)
      .map('notify', sendAlertBatch);

    // Connect to log stream
    const live = Promise.withResolvers<void>();
    async function* connectToLogStream(): AsyncGenerator<LogEntry> {
      for (let i = 0; i < 250; i++) yield { level: i % 2 === 0 ? 'error' : 'info', message: `entry ${i}` };
      await live.promise;
    }
    const logStream = connectToLogStream();

    // Process continuously
    for await (const alert of logPipeline.execute(logStream)) {
      // Alerts sent as soon as batch of 100 errors collected
      expect(alert).toEqual({ count: 100 });
      expect(alerts).toEqual([100]);
      break;
    }
    live.resolve();
  });

  it('before and after: the same work in memory and as a stream', async () => {
    const discoverFiles = createStep<string, string[]>('discover', async ({ input }) => {
      const paths: string[] = [];
      for await (const file of new Glob('**/*.md').scan({ cwd: input })) paths.push(`${input}/${file}`);
      return paths.toSorted();
    });
    const before = Pipeline.start<string>()
      .add('discover', discoverFiles)
      .map('read', readFile)
      .flatMap('chunks', ({ content, path }) =>
        splitMarkdown(content, path, {}, { minChunkSize: 300, maxChunkSize: 1_000, chunkOverlap: 100 }),
      )
      .batch('batches', 50)
      .map('embed', (batch) =>
        generateEmbeddings(
          batch.map(({ content }) => content),
          server.url,
          EMBEDDING_MODEL,
        ),
      );
    const after = StreamingPipeline.start<string>()
      .add(
        'discover',
        createStreamingStep('discover', async function* ({ input }) {
          for await (const path of input) {
            const files: string[] = [];
            for await (const file of new Glob('**/*.md').scan({ cwd: path })) files.push(`${path}/${file}`);
            yield* files.toSorted();
          }
        }),
      )
      .map('read', readFile, { parallel: true, concurrencyLimit: 10 })
      .flatMap('chunks', ({ content, path }) =>
        splitMarkdown(content, path, {}, { minChunkSize: 300, maxChunkSize: 1_000, chunkOverlap: 100 }),
      )
      .batch('batches', 50)
      .map('embed', (batch) =>
        generateEmbeddings(
          batch.map(({ content }) => content),
          server.url,
          EMBEDDING_MODEL,
        ),
      );
    const batch = await before.execute(folder.path);
    expect(batch.success && batch.data).toEqual(await after.executeToArray(folder.path));
    expect(batch.success && batch.data[0]).toHaveLength(5);
  });
});
