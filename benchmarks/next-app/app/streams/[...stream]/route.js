import { createStreamRoute } from '@perennial/next';

import { shared } from '../../../shared.js';

export const { GET } = createStreamRoute({ store: () => shared().store, authorize: () => true, sseMaxMs: 600_000 });
