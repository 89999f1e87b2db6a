/** A Lua script as the server gets it. */
export interface RedisScript {
  readonly name: string;
  /** SHA-1 of `source` in hex. */
  readonly sha: string;
  readonly source: string;
}
