import { createStreamRoute } from '@perennial/next';

import { authorise } from '../../../../server/authorise.ts';
import { demo } from '../../../../server/demo.ts';
import { logError } from '../../../../server/log-error.ts';

export const { GET, POST, HEAD, OPTIONS } = createStreamRoute({
  store: () => demo().store,
  authorize: authorise,
  onError: (error, { method, url }) => logError(`${method} ${url} failed`, error),
});
