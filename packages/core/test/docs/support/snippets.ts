/** Writes the TypeScript blocks of the documents to a folder in which the packages resolve, type-checks and runs them. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { promisify } from 'node:util';

import type { CodeBlock } from './code-blocks.ts';
import { root } from './documents.ts';

/** A block with everything it needs, as a file. */
export interface Snippet {
  readonly block: CodeBlock;
  /** Absolute. */
  readonly path: string;
  /** Lines in front of the block that belong to the blocks it continues. */
  readonly leadingLines: number;
}

/** A folder of snippets. */
export interface SnippetFolder {
  readonly path: string;
  readonly snippets: readonly Snippet[];
  remove(): void;
}

const exec = promisify(execFile);
const RUN_TIMEOUT_MS = 15_000;

/** Writes the blocks below the repository's cache folder, where `@perennial/*` and their peers resolve as they do for users. */
export function writeSnippets(blocks: readonly CodeBlock[]): SnippetFolder {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const path = mkdtempSync(join(root, '.cache', 'docs-'));
  const snippets: Snippet[] = [];
  let previous = '';
  for (const block of blocks) {
    const leading = block.continues ? `${previous}\n` : '';
    const name = block.file ?? `line-${block.line}.${block.language}`;
    const file = join(path, block.document.slice(0, -extname(block.document).length), name);
    mkdirSync(dirname(file), { recursive: true });
    previous = leading + block.code;
    writeFileSync(file, `${previous}\n`);
    snippets.push({ block, path: file, leadingLines: leading === '' ? 0 : leading.split('\n').length - 1 });
  }
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(tsconfig(path)));
  return { path, snippets, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function tsconfig(folder: string): unknown {
  return {
    extends: join(relative(folder, root), 'tsconfig.base.json'),
    compilerOptions: {
      // What Next and Vite set up: relative imports without an extension, JSX.
      module: 'ESNext',
      moduleResolution: 'Bundler',
      jsx: 'react-jsx',
      types: ['node', 'react', 'react-dom'],
      isolatedDeclarations: false,
      declaration: false,
      incremental: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    include: ['**/*'],
  };
}

/** Type errors of all snippets, in one run of the compiler: messages by snippet path, each with its line in the document. */
export async function typeErrors({ path, snippets }: SnippetFolder): Promise<Map<string, string[]>> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { stdout } = await exec(tsc, ['-p', path, '--pretty', 'false'], { cwd: path }).catch(outputOfFailure);
  const errors = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [, file, row, message] = /^(.+?)\((\d+),\d+\): (error .*)$/.exec(line) ?? [];
    const snippet = file && snippets.find((candidate) => candidate.path === join(path, file));
    if (!snippet) {
      // An error of a package is reported by the package's own type check; a complaint about the setup is nobody else's.
      if (line.includes('error TS') && !file?.includes('packages/')) throw new Error(`The compiler said: ${line}`);
      continue;
    }
    const lineOfBlock = Number(row) - snippet.leadingLines;
    if (lineOfBlock < 1) continue;
    const place = `${snippet.block.document}:${snippet.block.line + lineOfBlock - 1}`;
    errors.set(snippet.path, [...(errors.get(snippet.path) ?? []), `${place}: ${message}`]);
  }
  return errors;
}

/** Runs a snippet in a process of its own, in a folder of its own. Rejects with what it wrote to stderr when it fails or hangs. */
export async function runSnippet({ path }: Snippet): Promise<string> {
  const cwd = mkdtempSync(join(dirname(path), 'run-'));
  const args = ['--conditions=perennial-source', '--disable-warning=ExperimentalWarning', path];
  const { stdout } = await exec(process.execPath, args, { cwd, timeout: RUN_TIMEOUT_MS });
  return stdout;
}

function outputOfFailure(error: unknown): { stdout: string } {
  if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== '') {
    return { stdout: error.stdout };
  }
  throw error;
}
