import { createStreamRoute } from '@perennial/next';

import { appState } from '../../../app-state.js';

export const { GET } = createStreamRoute({ store: () => appState().store, authorize: () => true, sseMaxMs: 600_000 });
