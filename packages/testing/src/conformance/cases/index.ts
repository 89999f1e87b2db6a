import type { StoreCase } from '../store-case.ts';
import { appendExpectationCases } from './append-expectations.ts';
import { appendOrderCases } from './append-order.ts';
import { appendCases } from './append.ts';
import { concurrencyCases } from './concurrency.ts';
import { createCases } from './create.ts';
import { forkLifecycleCases } from './fork-lifecycle.ts';
import { forkCases } from './forks.ts';
import { hostileCases } from './hostile.ts';
import { invalidArgumentCases } from './invalid-arguments.ts';
import { lifecycleCases } from './lifecycle.ts';
import { listCases } from './list.ts';
import { markCases } from './marks.ts';
import { producerCases } from './producer.ts';
import { readCases } from './read.ts';
import { reopenCases } from './reopen.ts';
import { segmentCases } from './segments.ts';
import { waitCases } from './wait.ts';

/** Every case of the store kit. */
export const ALL_STORE_CASES: readonly StoreCase[] = [
  ...createCases,
  ...appendCases,
  ...appendExpectationCases,
  ...appendOrderCases,
  ...producerCases,
  ...segmentCases,
  ...readCases,
  ...waitCases,
  ...markCases,
  ...lifecycleCases,
  ...forkCases,
  ...forkLifecycleCases,
  ...listCases,
  ...concurrencyCases,
  ...hostileCases,
  ...invalidArgumentCases,
  ...reopenCases,
];
