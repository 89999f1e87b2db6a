/** Runs a program on workers that crash and overtake one another, on one store, and collects what is left. */
import {
  createMemoryStreamStore,
  getStreamReader,
  runJournalId,
  runStreamId,
  type StreamHead,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';

import { createWorkflow, type RunContext, type Workflow } from '../../src/index.ts';
import type { Note } from '../../src/journal/notes.ts';
import { type ChaosPort, createChaosPort } from './chaos-port.ts';
import { NAMESPACES, type Op, type Program, type StepOp } from './program.ts';
import { type Chance, createChance } from './random.ts';

/** What a finished run left behind, and what was seen of it meanwhile. */
export interface Remains {
  readonly notes: readonly Note[];
  readonly journal: StreamHead;
  readonly streams: Readonly<
    Record<string, { readonly head: StreamHead; readonly records: readonly StreamRecord[] } | null>
  >;
  /** What each attempt wrote, by its unique name, then by stream. */
  readonly truth: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  readonly readers: readonly SeenByReader[];
  readonly workers: number;
}

/** What a reader that was attached throughout has seen. */
export interface SeenByReader {
  readonly ns: string;
  readonly view: 'live' | 'raw';
  readonly values: readonly unknown[];
  readonly end: string;
}

const RUN_ID = 'run';
const LEASE_MS = 60_000;
const TIME_LIMIT_MS = Number(process.env['LIMIT_MS'] ?? 20_000);

interface Worker {
  readonly name: string;
  readonly port: ChaosPort;
  readonly workflow: Workflow<object>;
}

/** Runs a program under one schedule. Rejects when it does not come to an end. */
export async function runProgram(program: Program, seed: number): Promise<Remains> {
  const world = new World(program, createChance(seed ^ 0x5f3759df));
  return world.run();
}

class World {
  readonly #program: Program;
  readonly #chance: Chance;
  readonly #store: StreamStore = createMemoryStreamStore();
  readonly #workers: Worker[] = [];
  readonly #truth = new Map<string, Record<string, string[]>>();
  readonly #over = Promise.withResolvers<void>();
  #crashes: number;
  #zombies: number;
  #untilEvent: number;
  #untilCancel: number;
  #clock = 0;

  constructor(program: Program, chance: Chance) {
    this.#program = program;
    this.#chance = chance;
    this.#crashes = program.crashes;
    this.#zombies = program.zombies;
    this.#untilEvent = 1 + chance.below(program.spacing * 2);
    this.#untilCancel = program.isCancelled ? chance.below(60) : Infinity;
  }

  async run(): Promise<Remains> {
    this.#hire();
    const readers = NAMESPACES.flatMap((ns) => (['live', 'raw'] as const).map((view) => this.#readAll(ns, view)));
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error('The run or its readers came to no end.')), TIME_LIMIT_MS);
    try {
      await Promise.race([this.#over.promise, late.promise]);
      return await this.#remains(await Promise.race([Promise.all(readers), late.promise]));
    } finally {
      clearTimeout(timer);
      for (const { port, workflow } of this.#workers) {
        port.kill();
        void workflow.close();
      }
    }
  }

  #hire(): void {
    const name = `p${this.#workers.length}`;
    const port = createChaosPort({ inner: this.#store, chance: this.#chance, onCall: () => this.#onCall() });
    const workflow = createWorkflow(
      'program',
      {},
      {
        streamStore: port.store,
        leaseMs: LEASE_MS,
        // A look at the clock takes as long as a lease: whoever stands by takes over at its second look.
        monotonic: () => (this.#clock += LEASE_MS),
        retry: { timeoutMs: 1e9, sleep: () => new Promise((resolve) => setImmediate(resolve)) },
      },
    );
    this.#workers.push({ name, port, workflow });
    void workflow
      .run((context) => this.#body(context as RunContext<object>, name), { id: RUN_ID })
      .then((result) => {
        const isLost =
          !result.ok && 'code' in Object(result.error) && (result.error as { code: string }).code === 'CLOSED';
        if (!isLost) this.#over.resolve();
      });
  }

  /** Something may happen with every call that a worker makes. */
  #onCall(): void {
    if (this.#untilCancel-- === 0) {
      void this.#store
        .mark(runJournalId(RUN_ID), { type: 'cancel', reason: 'enough' })
        .catch(() => (this.#untilCancel = 3));
    }
    if (--this.#untilEvent > 0) return;
    this.#untilEvent = 1 + this.#chance.below(this.#program.spacing * 2);
    const worker = this.#workers.at(-1);
    if (!worker) return;
    if (this.#zombies > 0 && this.#chance.happens(0.5)) {
      this.#zombies--;
      worker.port.pause();
      setTimeout(() => worker.port.resume(), this.#chance.below(12));
      this.#hire();
    } else if (this.#crashes > 0) {
      this.#crashes--;
      worker.port.kill();
      void worker.workflow.close();
      this.#hire();
    }
  }

  async #body({ step }: RunContext<object>, worker: string): Promise<void> {
    const writers = new Map(
      NAMESPACES.map((namespace) => [namespace, step.getWritable({ namespace, highWaterMark: 2 })]),
    );
    const writerOf = (ns: string) => {
      const writer = writers.get(ns);
      if (!writer) throw new Error(ns);
      return writer;
    };
    const perform = async (ops: readonly Op[]): Promise<void> => {
      for (const op of ops) {
        switch (op.kind) {
          case 'step':
            await this.#step(step, op, { worker, writerOf });
            break;
          case 'parallel':
            await Promise.all(op.branches.map((branch) => perform(branch)));
            break;
          default: {
            const value =
              op.kind === 'write' && this.#program.isNondeterministic
                ? `${op.value}@${worker}`
                : op.kind === 'write'
                  ? op.value
                  : '';
            const writer = writerOf(op.ns);
            const called =
              op.kind === 'write' ? writer.write(value) : op.kind === 'flush' ? writer.flush() : writer.close();
            if (op.awaited) await called;
          }
        }
      }
    };
    await perform(this.#program.ops);
  }

  async #step(
    step: RunContext['step'],
    op: StepOp,
    { worker, writerOf }: { worker: string; writerOf: (ns: string) => ReturnType<RunContext['step']['getWritable']> },
  ): Promise<void> {
    const retry = { attempts: op.attempts, delayMs: 0, jitter: 0 };
    const work = step(op.key, ({ attempt }) => this.#attempt(op, `${op.key}#${attempt}.${worker}`, writerOf), {
      key: op.key,
      retry,
    });
    if (op.isCaught) await work.catch((error: unknown) => ignoreFailure(error));
    else await work;
  }

  async #attempt(
    op: StepOp,
    uid: string,
    writerOf: (ns: string) => ReturnType<RunContext['step']['getWritable']>,
  ): Promise<string> {
    const chance = this.#chance;
    const truth: Record<string, string[]> = {};
    this.#truth.set(uid, truth);
    const count = chance.below(op.maxTokens + 1);
    const diesAt = chance.happens(op.throws) ? chance.below(count + 1) : -1;
    for (let i = 0; i < count; i++) {
      if (i === diesAt) throw new Error(`${uid} fails`);
      const ns = chance.oneOf(op.streams);
      const token = `${uid}:${i}`;
      const written = await writerOf(ns).write(token);
      if (written.ok) (truth[ns] ??= []).push(token);
      if (chance.happens(0.3)) await new Promise((resolve) => setImmediate(resolve));
    }
    if (op.closes) await writerOf(op.closes).close();
    if (diesAt === count) throw new Error(`${uid} fails`);
    // A write that comes too late, from something the attempt left running.
    if (chance.happens(0.2)) setImmediate(() => void writerOf(op.streams[0]).write(`${uid}:stray`));
    return uid;
  }

  async #readAll(ns: string, view: 'live' | 'raw'): Promise<SeenByReader> {
    for (;;) {
      const reader = getStreamReader<string>({ store: this.#store, workflowId: RUN_ID, namespace: ns, view });
      const values: string[] = [];
      for (;;) {
        const item = await reader.read();
        if (item.ok) {
          values.push(item.value);
          continue;
        }
        const { error } = item;
        if ('end' in error) return { ns, view, values, end: error.end.outcome };
        // The journal is about to be created, or what was read was taken back: begin again.
        await new Promise((resolve) => setImmediate(resolve));
        break;
      }
    }
  }

  async #remains(readers: readonly SeenByReader[]): Promise<Remains> {
    const { records, head } = await this.#store.read(runJournalId(RUN_ID), { from: 0, limit: 10_000 });
    const notes = records.map((record) => JSON.parse(String(record.kind === 'data' ? record.data : 'null')) as Note);
    const streams: Record<string, { head: StreamHead; records: readonly StreamRecord[] } | null> = {};
    for (const ns of NAMESPACES) {
      const id = runStreamId(RUN_ID, ns);
      streams[ns] = (await this.#store.head(id)) ? await this.#store.read(id, { from: 0, limit: 10_000 }) : null;
    }
    return { notes, journal: head, streams, truth: this.#truth, readers, workers: this.#workers.length };
  }
}

/** A failure of the step is what the program allows for; the end of its run is not. */
function ignoreFailure(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'STEP_FAILED') throw error;
}
