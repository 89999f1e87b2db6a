/** The packages that are published: every folder under packages/ whose manifest is not private. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './root.mjs';

/** @returns {{ name: string, folder: string, exports: Record<string, unknown> }[]} */
export function publishedPackages() {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter((manifest) => !manifest.private)
    .map(({ name, folder, exports }) => ({ name, folder, exports }));
}
