import { type Command, InvalidArgumentError, type OptionValues } from '@commander-js/extra-typings';

import type { CommonFlags } from '../commands/context.ts';

/** Adds the options by which every stream command says where the streams are. */
export function withTargetOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & CommonFlags> {
  command
    .optionsGroup('Where the streams are:')
    .option('--url <url>', 'a server: perennial serve, or a route of an application')
    .option('--redis <url>', 'Redis or Valkey, such as redis://127.0.0.1:6379')
    .option('--dir <folder>', 'a folder of the file store')
    .option('--token <token>', 'bearer token for the server; PERENNIAL_TOKEN keeps it out of the process list')
    .option('--prefix <prefix>', 'in front of every key in Redis')
    .option('--config <file>', 'configuration, instead of the nearest perennial.config.ts')
    .optionsGroup('Other options:')
    .option('-q, --quiet', 'no messages, only errors');
  return command;
}

/** Adds the options of commands that work with the actors of a project. */
export function withProjectOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & CommonFlags> {
  command
    .option('--config <file>', 'configuration, instead of the nearest perennial.config.ts')
    .option('-q, --quiet', 'no messages, only errors');
  return command;
}

/** Parses a whole number from `least`. */
export function count(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    return value;
  };
}

/** Parses where to start reading. */
export function start(text: string): number | 'now' {
  return text === 'now' ? 'now' : count(0)(text);
}

/** Parses a number of seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 2_000_000))
    throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
}

/** Parses a port; 0 means a free one. */
export function port(text: string): number {
  const value = count(0)(text);
  if (value > 65_535) throw new InvalidArgumentError('A port is at most 65535.');
  return value;
}

/** Parses a path below which something is served. */
export function basePath(text: string): string {
  if (!text.startsWith('/') || /[?#\s]/.test(text))
    throw new InvalidArgumentError('It must be a path such as /streams.');
  return text;
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
