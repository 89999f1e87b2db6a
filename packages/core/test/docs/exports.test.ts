/** Every public export of every package carries a doc comment. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from 'vitest';

import { root } from './support/documents.ts';

const DECLARATION = /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/;
const RE_EXPORT = /^export (?:type )?(\*|\{[^}]*\}) from '(\.[^']+)';/gm;

const entries = readdirSync(join(root, 'packages')).flatMap(entryPoints);

describe('public exports have doc comments', () => {
  it('finds entry points', () => {
    expect(entries.map(({ title }) => title)).toContain('@perennial/core');
  });

  it.each(entries)('$title', ({ file }) => {
    const exported = exportsOf(file, null);
    expect(exported.length).toBeGreaterThan(0);
    expect(exported.filter(({ documented }) => !documented).map(({ place }) => place)).toEqual([]);
  });
});

it('notices an export without one', () => {
  const source = '/** Has one. */\nexport const a = 1;\n\nexport function b(): void {}\n';
  expect(declarations(source)).toEqual([
    { name: 'a', documented: true, line: 2 },
    { name: 'b', documented: false, line: 4 },
  ]);
});

function entryPoints(folder: string): { title: string; file: string }[] {
  const manifest = join(root, 'packages', folder, 'package.json');
  if (!existsSync(manifest)) return [];
  const { name, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string; exports: object };
  return Object.entries(exports).flatMap(([subpath, target]: [string, unknown]) => {
    if (typeof target !== 'object' || target === null || !('perennial-source' in target)) return [];
    return [{ title: `${name}${subpath.slice(1)}`, file: join(dirname(manifest), String(target['perennial-source'])) }];
  });
}

interface Exported {
  readonly place: string;
  readonly documented: boolean;
}

/** What a module exports, also from the modules it names. `names` narrows; null means everything. */
function exportsOf(file: string, names: ReadonlySet<string> | null): Exported[] {
  const source = readFileSync(file, 'utf8');
  const own = declarations(source)
    .filter(({ name }) => names === null || names.has(name))
    .map(({ name, documented, line }) => ({ place: `${relative(root, file)}:${line} ${name}`, documented }));
  const others = [...source.matchAll(RE_EXPORT)].flatMap(([, what = '', from = '']) => {
    const listed =
      what === '*' ? null : new Set([...what.matchAll(/(?:type )?(\w+)(?: as \w+)?/g)].map(([, name = '']) => name));
    const wanted = listed && names ? new Set([...listed].filter((name) => names.has(name))) : (listed ?? names);
    return exportsOf(join(dirname(file), from), wanted);
  });
  return [...own, ...others];
}

function declarations(source: string): { name: string; documented: boolean; line: number }[] {
  const lines = source.split('\n');
  const found: { name: string; documented: boolean; line: number }[] = [];
  for (const [index, line] of lines.entries()) {
    const name = DECLARATION.exec(line)?.[1];
    if (name === undefined) continue;
    // The overloads of a function share the comment of the first.
    if (found.some((earlier) => earlier.name === name && earlier.documented)) continue;
    found.push({ name, documented: lines[index - 1]?.trimEnd().endsWith('*/') ?? false, line: index + 1 });
  }
  return found;
}
