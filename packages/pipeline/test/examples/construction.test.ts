/* oxlint-disable no-console -- the examples log as programs would */
/** Examples of the design this package implements, each compiled under strict and run. */
import { asyncGeneratorOf, createStep, createStreamingStep, Pipeline, StreamingPipeline } from '@perennial/pipeline';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { embed, type EmbeddingServer, generateEmbeddings, startEmbeddingServer } from '../support/embeddings.ts';
import { type Chunk, type FileContent, Glob, readFile, splitMarkdown, temporaryFolder } from '../support/fixtures.ts';
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

describe('steps and construction', () => {
  const readFilesStep = createStreamingStep<string, FileContent>('readFiles', async function* ({ input }) {
    // input is an async generator of file paths
    for await (const path of input) {
      try {
        const content = await readFile(path);
        yield content;
      } catch (error) {
        console.warn(`Error reading ${path}:`, error);
        // Skip failed files
      }
    }
  });

  it('basic streaming step', async () => {
    const pipeline = StreamingPipeline.start<string>().map('readFiles', readFilesStep);
    const paths = asyncGeneratorOf(`${folder.path}/deep/three.md`, `${folder.path}/missing.md`);
    expect((await pipeline.executeToArray(paths)).map(({ content }) => content)).toEqual(['Short.']);
    expect(console.warn).toHaveBeenCalledOnce();
  });

  it('streaming beside batch', async () => {
    const step1 = createStep<number, number>('step1', ({ input }) => input + 1);
    const step2 = createStep<number, string>('step2', ({ input }) => `${input}`);
    const streamingStep1 = createStreamingStep<number, number>('step1', async function* ({ input }) {
      for await (const n of input) yield n + 1;
    });
    const streamingStep2 = createStreamingStep<number, string>('step2', async function* ({ input }) {
      for await (const n of input) yield `${n}`;
    });
    const batchPipeline = Pipeline.start<number>().add('step1', step1).add('step2', step2);
    const streamingPipeline = StreamingPipeline.start<number>()
      .add('step1', streamingStep1)
      .add('step2', streamingStep2);
    expect(await batchPipeline.execute(1)).toMatchObject({ success: true, data: '2' });
    expect(await streamingPipeline.executeToArray(1)).toEqual(['2']);
  });

  it('streaming pipeline construction', async () => {
    const discoverFilesStreamingStep = createStreamingStep<{ path: string; pattern: string }, string>(
      'discover',
      async function* ({ input }) {
        for await (const { path, pattern } of input) {
          for await (const file of new Glob(pattern).scan({ cwd: path })) yield `${path}/${file}`;
        }
      },
    );
    const readFileStreamingStep = readFilesStep;
    const cleanMarkdownStreamingStep = createStreamingStep<FileContent, FileContent>(
      'clean',
      async function* ({ input }) {
        for await (const file of input) yield { ...file, content: file.content.trim() };
      },
    );
    const splitMarkdownStreamingStep = createStreamingStep<FileContent, Chunk>('split', async function* ({ input }) {
      for await (const { content, path } of input) {
        yield* await splitMarkdown(content, path, {}, { minChunkSize: 300, maxChunkSize: 1_000, chunkOverlap: 100 });
      }
    });
    const addEOTStreamingStep = createStreamingStep<Chunk, Chunk>('eot', async function* ({ input }) {
      for await (const chunk of input) yield { ...chunk, content: `${chunk.content}<EOT>` };
    });
    const generateEmbeddingsStreamingStep = createStreamingStep<Chunk[], { id: string; embedding: number[] }[]>(
      'embed',
      async function* ({ input }) {
        for await (const batch of input) {
          const embeddings = await generateEmbeddings(
            batch.map(({ content }) => content),
            server.url,
            EMBEDDING_MODEL,
          );
          yield batch.map(({ id }, i) => ({ id, embedding: embeddings[i]?.embedding ?? [] }));
        }
      },
    );
    const unbatchStreamingStep = createStreamingStep<
      { id: string; embedding: number[] }[],
      { id: string; embedding: number[] }
    >('unbatch', async function* ({ input }) {
      for await (const batch of input) yield* batch;
    });

    const pipeline = StreamingPipeline.start<{ path: string; pattern: string }>()
      // Discover files (returns generator of file entries)
      .add('discover', discoverFilesStreamingStep)

      // Read each file (streaming)
      .map('readFiles', readFileStreamingStep, {
        parallel: true,
        concurrencyLimit: 10,
      })

      // Clean markdown (streaming)
      .map('cleanFiles', cleanMarkdownStreamingStep, {
        parallel: true,
      })

      // Split into chunks (flatMap generates multiple outputs per input)
      .flatMap('chunks', splitMarkdownStreamingStep)

      // Add EOT tokens
      .map('withEOT', addEOTStreamingStep)

      // Batch for embeddings
      .batch('batches', 50)

      // Generate embeddings (batched)
      .map('embeddings', generateEmbeddingsStreamingStep)

      // Flatten batches
      .flatMap('embedded', unbatchStreamingStep);

    const results = await pipeline.executeToArray({ path: folder.path, pattern: '**/*.md' });
    expect(results).toHaveLength(5);
    expect(results.find(({ id }) => id.endsWith('three.md#0'))?.embedding).toEqual(embed('Short.<EOT>'));
    expect((await pipeline.getMetadata()).steps.map(({ executionMode }) => executionMode)).toEqual([
      'streaming',
      'parallel-streaming',
      'parallel-streaming',
      'streaming',
      'streaming',
      'streaming',
      'streaming',
      'streaming',
    ]);
  });
});

describe('execution modes', () => {
  const step1 = createStreamingStep<number, number>('step1', async function* ({ input }) {
    for await (const n of input) yield n + 1;
  });
  const step2 = createStreamingStep<number, number>('step2', async function* ({ input }) {
    for await (const n of input) yield n * 10;
  });

  it('stream consumption', async () => {
    const pipeline = StreamingPipeline.start<number>().map('step1', step1);
    const seen: number[] = [];
    for await (const result of pipeline.execute(counted(3).source)) {
      // Process results as they arrive
      seen.push(result);
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it('collect and reduce', async () => {
    const pipeline = StreamingPipeline.start<number>().map('step1', step1);
    expect(await pipeline.executeToArray(counted(3).source)).toEqual([1, 2, 3]);
    const count = await pipeline.executeReduce(counted(3).source, (acc, _item) => acc + 1, 0);
    expect(count).toBe(3);
  });

  it('early termination', async () => {
    const source = counted();
    const pipeline = StreamingPipeline.start<number>()
      .map('step1', step1)
      .take('first10', 10) // Only take first 10 results
      .map('step2', step2);
    expect(await pipeline.executeToArray(source.source)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(source.pulls).toBe(10);
  });

  it('pagination', async () => {
    const source = counted();
    const pipeline = StreamingPipeline.start<number>().map('step1', step1).skip('skipFirst20', 20).take('next10', 10); // Get items 21-30
    expect(await pipeline.executeToArray(source.source)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    expect(source.pulls).toBe(30);
  });
});
