/** True for errors of any realm: `instanceof` alone misses those of another `vm` context or frame. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}
