import type { Operation, OperationContext } from '../builder/operation.ts';
import type { Restored } from '../durable/restored.ts';
import { fuseStages } from '../stages/fuse.ts';
import type { FusedStage } from '../stages/fused-stages.ts';
import type { ItemContext } from '../stages/item-function.ts';
import type { Link } from '../stages/link.ts';
import type { RunContext } from './run-context.ts';
import { createAccumulated, createState } from './state-view.ts';
import type { StepRuntime } from './step-runtime.ts';

/** Options of {@link createChain}. */
export interface ChainOptions {
  readonly run: RunContext;
  readonly operations: readonly Operation[];
  readonly steps: readonly StepRuntime[];
  readonly source: Link;
  readonly restored: Restored;
  readonly itemsOf: (operation: Operation) => OperationContext['items'];
}

/** Makes the stages of a run. Neighbours that map item to item become one loop. */
export function createChain({ run, operations, steps, source, restored, itemsOf }: ChainOptions): Link {
  let link = source;
  let fused: FusedStage[] = [];
  const fuse = (): void => {
    if (fused.length > 0) link = fuseStages(link, fused);
    fused = [];
  };
  operations.forEach((operation, index) => {
    const step = steps[index];
    if (!step) return;
    const context = createContext(run, step, { earlier: steps.slice(0, index), restored, items: itemsOf(operation) });
    if (operation.createStage && !context.items) {
      fused.push(operation.createStage(context, restored.take()));
      return;
    }
    fuse();
    if (operation.attach) link = operation.attach(context, link);
  });
  fuse();
  return link;
}

function createContext(
  run: RunContext,
  step: StepRuntime,
  { earlier, restored, items }: Pick<OperationContext, 'restored' | 'items'> & { earlier: readonly StepRuntime[] },
): OperationContext {
  let accumulated: object | null = null;
  // Most functions never look: the view is made when one does.
  const view = (): object => (accumulated ??= createAccumulated(earlier));
  const itemContext: ItemContext = {
    context: run.context,
    signal: run.signal,
    get accumulated() {
      return view();
    },
  };
  return {
    step,
    itemContext,
    createState: (upstream) => createState(step, earlier, { upstream, accumulated: view() }),
    single: earlier.length === 0 ? run.single : null,
    restored,
    items,
  };
}
