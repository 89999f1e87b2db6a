import { createStreamRoute } from '@perennial/next';

import { authorise } from '../../../../server/authorise.ts';
import { demo } from '../../../../server/demo.ts';

export const { GET, POST, HEAD, OPTIONS } = createStreamRoute({ store: demo().store, authorize: authorise });
