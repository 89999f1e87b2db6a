/**
 * Stops with one readable sentence where the tools cannot work, instead of
 * letting a missing binary fail somewhere deep inside a build.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './root.mjs';

const oldestNode = [22, 18];

export function requirePlatform() {
  const problem = platformProblem();
  if (problem === null) return;
  console.error(problem);
  process.exit(1);
}

function platformProblem() {
  if (process.platform === 'win32') {
    return 'These scripts need Linux or macOS, and this is Windows. Run them inside WSL 2.';
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    return (
      `These scripts need Node ${oldestNode.join('.')} or newer, and this is Node ${process.versions.node}. ` +
      'On Linux x64 npm ci installs its own Node: start the scripts with npm run. ' +
      'Elsewhere install Node 24 from https://nodejs.org.'
    );
  }
  for (const tool of ['turbo', 'tsc', 'next', 'vitest']) {
    if (!existsSync(join(root, 'node_modules', '.bin', tool))) {
      return `${tool} is missing from node_modules. Run npm ci first.`;
    }
  }
  return null;
}
