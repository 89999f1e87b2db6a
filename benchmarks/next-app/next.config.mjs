import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');

export default {
  poweredByHeader: false,
  outputFileTracingRoot: repository,
  turbopack: { root: repository },
};
