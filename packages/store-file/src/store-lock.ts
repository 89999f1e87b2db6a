/**
 * The lock of a directory: one numbered claim file per change of owner, in the folder `lock`. The highest number owns the store.
 *
 * States of a claim: absent -> held -> released or abandoned (its owner died) -> removed by the owner of a higher one. Claims are made
 * by linking a complete file to the next number, which succeeds for one process only; the number of the highest claim never shrinks.
 * A new owner removes the lower claims before it looks at any log, and an owner looks at its own claim after each sync and before it
 * acknowledges. So an append that the old owner acknowledges was in the log before the new owner looked.
 */
import { join } from 'node:path';

import { sealJson, unsealJson } from './checksum.ts';
import { StoreLockedError } from './file-errors.ts';
import {
  type FileSystem,
  hasErrno,
  isMissing,
  listIfPresent,
  readIfPresent,
  replaceFile,
  syncDirectory,
  temporaryName,
  writeNewFile,
} from './file-system.ts';
import { judgeProcess, type ProcessIdentity } from './process-identity.ts';

/** Options of {@link createStoreLock}. */
export interface StoreLockOptions {
  readonly fs: FileSystem;
  /** The store's directory. */
  readonly directory: string;
  readonly identity: ProcessIdentity;
  /** An owner that cannot be seen from here counts as dead after this time without a sign of life. */
  readonly staleAfterMs: number;
  /** Called once when another process has taken the lock. */
  readonly onLost: (error: StoreLockedError) => void;
}

/** A claim on the lock. */
export interface LockClaim {
  readonly generation: number;
  /** Logs made by a lower generation may still have a writer somewhere; they are copied before the first write. */
  readonly sealBelow: number;
}

/** The lock of one directory, as one engine sees it. */
export interface StoreLock {
  readonly held: boolean;
  /** The claim held, or null. It is another one, always, after the lock was lost and taken again. */
  readonly claim: LockClaim | null;
  /** Takes the lock. Rejects with {@link StoreLockedError} when somebody else has it. */
  acquire(): Promise<void>;
  /**
   * Resolves with the claim held, or rejects with {@link StoreLockedError} once the lock was lost. Given a claim, also when another one is
   * held by now: owners in between may have changed what was read under this one.
   */
  check(claim?: LockClaim): Promise<LockClaim>;
  /** True while some process may be writing; `generation` tells whether that changed in between. */
  inspect(): Promise<{ readonly inUse: boolean; readonly generation: number }>;
  release(): Promise<void>;
}

interface Claim extends ProcessIdentity, LockClaim {
  readonly format: 1;
  /** Milliseconds since the Unix epoch. */
  readonly acquiredAt: number;
  readonly released: boolean;
  /** Tells apart the claims of one process. */
  readonly nonce: string;
}

interface FoundClaim {
  readonly generation: number;
  readonly path: string;
  /** Null when the file is damaged. */
  readonly claim: Claim | null;
  readonly state: 'held' | 'free' | 'abandoned';
}

const CLAIM_NAME = /^\d{10}$/;
const BEATS_PER_STALE_TIME = 6;
const HINT =
  'One process writes at a time; reads and cancel requests work from any. Send writes to that process or stop it.';

/** Creates the lock of a directory; nothing is touched before `acquire`. */
export function createStoreLock(options: StoreLockOptions): StoreLock {
  return new ClaimLock(options);
}

class ClaimLock implements StoreLock {
  readonly #options: StoreLockOptions;
  readonly #folder: string;
  #mine: Claim | null = null;
  #path = '';
  /** A claim that is in place while taking the lock could not be finished; the next attempt goes on with it. */
  #unfinished: Claim | null = null;
  #heart: ReturnType<typeof setInterval> | null = null;
  /** When this process first saw the present sign of life of an owner that it cannot judge. */
  #observed: { readonly path: string; readonly mtimeMs: number; readonly since: number } | null = null;

  constructor(options: StoreLockOptions) {
    this.#options = options;
    this.#folder = join(options.directory, 'lock');
  }

  get held(): boolean {
    return this.#mine !== null;
  }

  get claim(): LockClaim | null {
    return this.#mine;
  }

  async acquire(): Promise<void> {
    const { fs } = this.#options;
    await fs.mkdir(this.#folder, { recursive: true });
    for (;;) {
      const top = await this.#top();
      if (top?.claim && top.claim.nonce === this.#unfinished?.nonce) {
        if (await this.#settle(top.claim, top.path)) return;
        continue;
      }
      if (top?.state === 'held') throw this.#lockedBy(top);
      const generation = (top?.generation ?? 0) + 1;
      // A damaged claim tells nothing about older ones, so it counts as one whose owner may be alive.
      const sealBelow = top?.state === 'abandoned' || (top && !top.claim) ? generation : (top?.claim?.sealBelow ?? 0);
      const claim: Claim = {
        ...this.#options.identity,
        format: 1,
        generation,
        acquiredAt: Date.now(),
        sealBelow,
        released: false,
        nonce: crypto.randomUUID(),
      };
      if (await this.#stake(claim)) return;
    }
  }

  async check(claim?: LockClaim): Promise<LockClaim> {
    const mine = this.#mine;
    if (!mine || (claim && claim !== mine)) throw this.#lost(null);
    try {
      await this.#options.fs.access(this.#path);
      return mine;
    } catch (error) {
      if (!isMissing(error)) throw error;
      const top = await this.#top();
      if (this.#mine !== mine) throw this.#lost(null);
      this.#drop();
      const lost = this.#lost(top?.claim ?? null);
      this.#options.onLost(lost);
      throw lost;
    }
  }

  async inspect(): Promise<{ readonly inUse: boolean; readonly generation: number }> {
    const top = await this.#top();
    return { inUse: top?.state === 'held', generation: top?.generation ?? 0 };
  }

  async release(): Promise<void> {
    const mine = this.#mine ?? this.#unfinished;
    if (!mine) return;
    this.#drop();
    this.#unfinished = null;
    const { fs } = this.#options;
    const path = this.#pathOf(mine.generation);
    try {
      // Without the claim somebody else has the lock already.
      await fs.access(path);
      await replaceFile(fs, path, sealJson({ ...mine, released: true }), { sync: false });
    } catch {
      // Without this note the next owner finds that this process is gone.
    }
  }

  /** Makes a claim; false when another process was faster. */
  async #stake(claim: Claim): Promise<boolean> {
    const { fs } = this.#options;
    const path = this.#pathOf(claim.generation);
    const temporary = temporaryName(path);
    try {
      await writeNewFile(fs, temporary, sealJson(claim), { sync: true });
      await link(fs, temporary, path, claim);
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
    }
    this.#unfinished = claim;
    return this.#settle(claim, path);
  }

  /** Makes a claim that is in place the only one; false when a later one exists. */
  async #settle(claim: Claim, path: string): Promise<boolean> {
    const { fs, staleAfterMs } = this.#options;
    // A number that a later owner has removed can be claimed again by a process that is far behind; it finds the later one here.
    const generations = await this.#generations();
    if (generations.at(-1) !== claim.generation) {
      await fs.rm(path, { force: true });
      return false;
    }
    for (const lower of generations.slice(0, -1)) await fs.rm(this.#pathOf(lower), { force: true });
    await syncDirectory(fs, this.#folder);
    this.#unfinished = null;
    this.#mine = claim;
    this.#path = path;
    this.#heart = setInterval(() => void this.#beat(), staleAfterMs / BEATS_PER_STALE_TIME);
    this.#heart.unref();
    return true;
  }

  #pathOf(generation: number): string {
    return join(this.#folder, String(generation).padStart(10, '0'));
  }

  async #beat(): Promise<void> {
    const now = new Date();
    try {
      await this.#options.fs.utimes(this.#path, now, now);
    } catch {
      // A claim that is gone is a lock that is lost; readers of this process should learn it also when nobody writes.
      await this.check().catch(() => undefined);
    }
  }

  #drop(): void {
    this.#mine = null;
    if (this.#heart) clearInterval(this.#heart);
    this.#heart = null;
  }

  async #generations(): Promise<readonly number[]> {
    const names = await listIfPresent(this.#options.fs, this.#folder);
    return names
      .filter((name) => CLAIM_NAME.test(name))
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  async #top(): Promise<FoundClaim | null> {
    for (;;) {
      const generation = (await this.#generations()).at(-1);
      if (generation === undefined) return null;
      const path = this.#pathOf(generation);
      const bytes = await readIfPresent(this.#options.fs, path);
      // Removed since: a higher claim exists by now.
      if (!bytes) continue;
      const claim = toClaim(unsealJson(bytes));
      return { generation, path, claim, state: await this.#judge(path, claim) };
    }
  }

  async #judge(path: string, claim: Claim | null): Promise<FoundClaim['state']> {
    if (claim?.released) return 'free';
    const { identity, staleAfterMs } = this.#options;
    const verdict = claim ? judgeProcess(claim, identity) : 'unknown';
    if (verdict !== 'unknown') return verdict === 'dead' ? 'free' : 'held';
    const mtimeMs = await this.#options.fs.stat(path).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    if (this.#observed?.path !== path || this.#observed.mtimeMs !== mtimeMs) {
      this.#observed = { path, mtimeMs, since: performance.now() };
    }
    // On the same machine the owner's clock is ours; elsewhere only the time for which we saw no change counts.
    const sameClock = claim !== null && claim.bootId !== null && claim.bootId === identity.bootId;
    const silentMs = sameClock ? Date.now() - mtimeMs : performance.now() - this.#observed.since;
    return silentMs >= staleAfterMs ? 'abandoned' : 'held';
  }

  #lockedBy({ claim, path }: FoundClaim): StoreLockedError {
    const { directory, identity, staleAfterMs } = this.#options;
    if (!claim)
      return new StoreLockedError(
        directory,
        null,
        `The lock file ${path} is damaged; it counts as free ${staleAfterMs} ms after its last change.`,
      );
    if (claim.pid === identity.pid && judgeProcess(claim, identity) === 'alive') {
      return new StoreLockedError(
        directory,
        claim,
        'That is this process: another thread or another version of this package has the directory open.',
      );
    }
    return new StoreLockedError(directory, claim, HINT);
  }

  #lost(owner: Claim | null): StoreLockedError {
    return new StoreLockedError(this.#options.directory, owner, `This process has lost the lock. ${HINT}`);
  }
}

/** Links where the file system can, else creates: then a reader may see the claim half written, which counts as held. */
async function link(fs: FileSystem, from: string, to: string, claim: Claim): Promise<void> {
  try {
    await fs.link(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].some((code) => hasErrno(error, code))) throw error;
    await writeNewFile(fs, to, sealJson(claim), { sync: true });
  }
}

function toClaim(value: unknown): Claim | null {
  // The checksum has vouched for the content; only a later format of this package could hold something else.
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1) return null;
  return value as Claim;
}
