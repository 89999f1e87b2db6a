import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';

import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';

/**
 * The input of an actor: JSON, `@file` for a file of JSON, `-` for standard input.
 *
 * @returns An empty object where none is given.
 * @throws {@link CliError} `INPUT` for what is no JSON.
 */
export async function readInput(io: Io, given: string | undefined): Promise<unknown> {
  if (given === undefined) return {};
  const { text, from } = await textOf(io, given);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('INPUT', `${from} is no JSON: ${why}`, {
      hint: 'Pass JSON, such as --input \'{"prompt":"Hello"}\', @file for a file of JSON, or - for standard input.',
      cause,
    });
  }
}

async function textOf(io: Io, given: string): Promise<{ readonly text: string; readonly from: string }> {
  if (given === '-') return { text: await readAll(io.stdin), from: 'Standard input' };
  if (!given.startsWith('@')) return { text: given, from: 'The value of --input' };
  const path = resolve(io.cwd, given.slice(1));
  try {
    return { text: await readFile(path, 'utf8'), from: path };
  } catch (cause) {
    throw new CliError('INPUT', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
