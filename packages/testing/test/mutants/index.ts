import { appendMutants } from './append-mutants.ts';
import { forkMutants } from './fork-mutants.ts';
import { errorMutants, headMutants, idMutants, listMutants } from './head-mutants.ts';
import type { Mutant } from './mutant.ts';
import { readMutants, waitMutants } from './read-mutants.ts';

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...appendMutants,
  ...readMutants,
  ...waitMutants,
  ...forkMutants,
  ...headMutants,
  ...listMutants,
  ...idMutants,
  ...errorMutants,
];
