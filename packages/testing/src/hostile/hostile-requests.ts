import type { HostileRequest } from './hostile-request.ts';
import { bodyRequests } from './requests/bodies.ts';
import { headerRequests } from './requests/headers.ts';
import { offsetRequests } from './requests/offsets.ts';
import { pathRequests } from './requests/paths.ts';

/** Every request of the table: each has to be refused, and to change nothing. */
export const HOSTILE_REQUESTS: readonly HostileRequest[] = [
  ...offsetRequests,
  ...pathRequests,
  ...headerRequests,
  ...bodyRequests,
];
