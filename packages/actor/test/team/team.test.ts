import { describe, expect, it } from 'vitest';

import { type ActorContext, type Contribution, createTeam, defineActor } from '../../src/index.ts';

/** An actor that says the words, one macrotask apart. */
const speaker = (...words: readonly string[]) =>
  defineActor(async function* () {
    for (const word of words) {
      await new Promise((resolve) => setImmediate(resolve));
      yield { type: 'data', data: word };
    }
    yield { type: 'complete', data: words.join(' ') };
  });

const failing = defineActor(async function* () {
  yield { type: 'data', data: 'so far' };
  throw Object.assign(new Error('no sources'), { code: 'E_SOURCES' });
});

/** Waits for its signal and for nothing else. */
function patient(): { actor: ReturnType<typeof defineActor>; fired: () => boolean } {
  let signal: AbortSignal | undefined;
  const actor = defineActor(async function* (_task: unknown, context: ActorContext) {
    ({ signal } = context);
    yield { type: 'progress', progress: { current: 0, total: 1, message: 'waiting' } };
    await new Promise(() => {});
  });
  return { actor, fired: () => signal?.aborted === true };
}

async function contributionsOf(stream: AsyncIterable<Contribution>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { actor, output } of stream) lines.push(`${actor}: ${String(output)}`);
  return lines;
}

describe('a team', () => {
  it('attributes concurrent contributions, in the order of each actor', async () => {
    const words = Array.from({ length: 50 }, (_, i) => `${i}`);
    const team = createTeam({ members: { Researcher: speaker(...words), Analyst: speaker(...words) } });
    const lines = await contributionsOf(team.stream('task'));
    for (const name of ['Researcher', 'Analyst'])
      expect(lines.filter((line) => line.startsWith(name))).toEqual([
        ...words.map((word) => `${name}: ${word}`),
        `${name}: ${words.join(' ')}`,
      ]);
    const firstOfAnalyst = lines.findIndex((line) => line.startsWith('Analyst'));
    const lastOfResearcher = lines.findLastIndex((line) => line.startsWith('Researcher'));
    expect(firstOfAnalyst).toBeLessThan(lastOfResearcher);
  });

  it('lets members build on each other', async () => {
    const echo = defineActor(async (input: unknown) => input);
    const team = createTeam({
      members: {
        Writer: {
          actor: echo,
          after: ['Researcher', 'Analyst'],
          input: (task, results) => `${String(task)}: ${String(results['Researcher'])}, ${String(results['Analyst'])}`,
        },
        Researcher: speaker('3', 'sources'),
        Analyst: speaker('2', 'trends'),
      },
    });
    expect(await team.execute('report')).toEqual({
      Researcher: '3 sources',
      Analyst: '2 trends',
      Writer: 'report: 3 sources, 2 trends',
    });
  });

  it('ends with the contribution of the member that failed, and cancels the others', async () => {
    const { actor, fired } = patient();
    const team = createTeam({ members: { Patient: actor, Researcher: failing } });
    const seen: Contribution[] = [];
    const loop = async (): Promise<void> => {
      for await (const contribution of team.stream('task')) seen.push(contribution);
    };
    await expect(loop()).rejects.toMatchObject({ code: 'FAILED', failureCode: 'E_SOURCES' });
    expect(seen.at(-1)).toMatchObject({ actor: 'Researcher', type: 'error', output: 'no sources' });
    expect(fired()).toBe(true);
  });

  it('goes on without the member that failed, if asked to', async () => {
    const team = createTeam({
      members: {
        Researcher: failing,
        Analyst: speaker('trends'),
        Writer: { actor: speaker('draft'), after: ['Researcher'] },
      },
      onFailure: 'continue',
    });
    const errors: Contribution[] = [];
    for await (const contribution of team.stream('task')) if (contribution.type === 'error') errors.push(contribution);
    expect(errors.map(({ actor, error }) => [actor, error?.code])).toEqual([
      ['Researcher', 'E_SOURCES'],
      ['Writer', 'DEPENDENCY_FAILED'],
    ]);
    expect(await team.execute('task')).toEqual({ Analyst: 'trends' });
  });

  it('cancels everybody when the consumer leaves', async () => {
    const [one, two] = [patient(), patient()];
    const team = createTeam({ members: { One: one.actor, Two: two.actor } });
    const seen = new Set<string>();
    for await (const { actor } of team.stream('task')) if (seen.add(actor).size === 2) break;
    expect([one.fired(), two.fired()]).toEqual([true, true]);
  });

  it('pauses members while the consumer is busy', async () => {
    let made = 0;
    const eager = defineActor(async function* () {
      for (;;) yield { type: 'data', data: ++made };
    });
    const team = createTeam({ members: { Eager: eager }, highWaterMark: 8 });
    const stream = team.stream('task');
    await stream.next();
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThanOrEqual(10);
    await stream.return();
  });

  it('refuses members that make no sense', () => {
    const actor = speaker('a');
    expect(() => createTeam({ members: {} })).toThrow(/`members`/);
    expect(() => createTeam({ members: { A: {} as never } })).toThrow(/"A" must be an actor/);
    expect(() => createTeam({ members: { A: { actor, after: ['B'] } } })).toThrow(/"B", which is no member/);
    expect(() => createTeam({ members: { A: { actor, after: ['B'] }, B: { actor, after: ['A'] } } })).toThrow(
      /"A", "B" comes after/,
    );
  });
});
