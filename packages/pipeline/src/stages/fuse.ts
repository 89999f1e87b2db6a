import { createFusedPull } from '@perennial/core/engine';

import type { FusedStage } from './fused-stages.ts';
import type { Cursor, Link } from './link.ts';

/** Runs stages as one loop over what is before them. */
export function fuseStages(upstream: Link, stages: readonly FusedStage[]): Link {
  return {
    pull: createFusedPull(
      upstream.pull,
      stages.map((stage) => () => stage),
    ),
    cursor: () => stages.reduce((up: Cursor, stage) => ({ up, state: stage.state() }), upstream.cursor()),
  };
}
