import { join } from 'node:path';

import type { NextConfig } from 'next';

const repository = join(import.meta.dirname, '../..');

const config: NextConfig = {
  poweredByHeader: false,
  // Without these Next guesses the root from lock files, and warns when it finds several.
  outputFileTracingRoot: repository,
  turbopack: { root: repository },
};

export default config;
