/* oxlint-disable max-params -- one parameter per transform is the signature */
/** Hands a source through functions from left to right: `pipe(reader, (s) => filter(s, isEven), (s) => take(s, 10))`. */
export function pipe<A>(source: A): A;
export function pipe<A, B>(source: A, ab: (a: A) => B): B;
export function pipe<A, B, C>(source: A, ab: (a: A) => B, bc: (b: B) => C): C;
export function pipe<A, B, C, D>(source: A, ab: (a: A) => B, bc: (b: B) => C, cd: (c: C) => D): D;
export function pipe<A, B, C, D, E>(source: A, ab: (a: A) => B, bc: (b: B) => C, cd: (c: C) => D, de: (d: D) => E): E;
export function pipe<A, B, C, D, E, F>(
  source: A,
  ab: (a: A) => B,
  bc: (b: B) => C,
  cd: (c: C) => D,
  de: (d: D) => E,
  ef: (e: E) => F,
): F;
export function pipe<A, B, C, D, E, F, G>(
  source: A,
  ab: (a: A) => B,
  bc: (b: B) => C,
  cd: (c: C) => D,
  de: (d: D) => E,
  ef: (e: E) => F,
  fg: (f: F) => G,
): G;
export function pipe<A, B, C, D, E, F, G, H>(
  source: A,
  ab: (a: A) => B,
  bc: (b: B) => C,
  cd: (c: C) => D,
  de: (d: D) => E,
  ef: (e: E) => F,
  fg: (f: F) => G,
  gh: (g: G) => H,
): H;
export function pipe(source: unknown, ...transforms: readonly ((input: unknown) => unknown)[]): unknown {
  return transforms.reduce((value, transform) => transform(value), source);
}
