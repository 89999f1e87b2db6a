import type { Cursor, StageState } from '../stages/link.ts';

/** The states of stages from the source, or from a checkpoint that keeps its items, to the next such checkpoint or the output. */
export type SegmentStates = readonly StageState[];

/** Hands the states of an earlier run to the stages, in the order in which they are made. */
export class Restored {
  readonly #segments: readonly (SegmentStates | null)[];
  #segment = 0;
  #stage = 0;

  constructor(segments: readonly (SegmentStates | null)[] = []) {
    this.#segments = segments;
  }

  /** The state of the next stage; undefined where it starts anew. */
  take(): StageState | undefined {
    return this.#segments[this.#segment]?.[this.#stage++];
  }

  /** The following stages belong to the next segment. */
  cut(): void {
    this.#segment++;
    this.#stage = 0;
  }
}

/** The states of a segment, the first stage first. */
export function flatten(cursor: Cursor): SegmentStates {
  const states: StageState[] = [];
  for (let at: Cursor | null = cursor; at; at = at.up) states.push(at.state);
  return states.toReversed();
}
