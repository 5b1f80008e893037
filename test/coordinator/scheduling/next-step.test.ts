import { describe, expect, it } from 'vitest';
import { Script } from '../script.js';

/** A local worker that takes 2 ms for a leaf, and a remote member that has just become ready. */
function withNewcomer({ hasData = true }: { hasData?: boolean } = {}): Scene {
  const script = new Script({ placement: 'auto', steps: 30_000, exchange: EXCHANGE });
  script.joins('local', { local: true });
  const scene = new Scene(script);
  for (let epoch = 0; epoch < 10; epoch++) scene.epoch();
  if (hasData) script.joins('far');
  else script.joinsWithoutData('far');
  return scene;
}

const EXCHANGE = {
  bytes: 8000,
  others: [
    { option: '--compress int8', bytes: 500, steps: 1 },
    { option: '--sync local:replicas=4,steps=30', bytes: 2000, steps: 30 },
  ],
};

/** A second newcomer answers its rehearsals so late that it helps only where the first does not. */
const NEAR_MS = 8;

/** The run goes on beside what members do. Rehearsals are answered at once, `answerMs` after they were sent. */
class Scene {
  answerMs = 60;
  readonly lines: string[] = [];
  /** When rehearsals were sent. */
  readonly rehearsedMs: number[] = [];

  constructor(readonly script: Script) {}

  /** Two steps of an epoch, the ragged third, an evaluation. A single step takes 10 ms, as it has five leaves. */
  epoch(): string[] {
    const lines = this.executes(2, 32);
    const { training } = this.script.state;
    if (training.activity === 'executing') lines.push(...this.executes(1, 10));
    if (training.activity === 'evaluating')
      lines.push(...this.noted(this.script.tell({ kind: 'evaluated', means: { loss: 1 } })));
    return lines;
  }

  executes(steps: number, elapsedMs: number): string[] {
    this.script.nowMs += elapsedMs;
    const metrics = Array.from({ length: steps }, () => [1]);
    return this.noted(this.script.tell({ kind: 'executed', metrics, elapsedMs }));
  }

  /** The run goes on for about so long. @returns all effects but those of local threads */
  passes(ms: number): string[] {
    const [endMs, from] = [this.script.nowMs + ms, this.lines.length];
    while (this.script.nowMs < endMs && this.script.state.training.activity !== 'distributed-step')
      this.epoch();
    return this.lines.slice(from).filter((line) => !/^(record|evaluate|execution)/.test(line));
  }

  /** @param isAgain these follow from the answer to a rehearsal */
  private noted(lines: string[], isAgain = false): string[] {
    this.lines.push(...lines);
    for (const line of lines) {
      const [, id, ...numbers] = /^(far|near) <- rehearsal (\d+) \[(\d+),(\d+)\)/.exec(line) ?? [];
      const [step, from, to] = numbers.map(Number);
      if (id === undefined || step === undefined) continue;
      if (!isAgain) this.rehearsedMs.push(this.script.nowMs);
      const answerMs = id === 'far' ? this.answerMs : NEAR_MS;
      if (answerMs === Number.POSITIVE_INFINITY) continue;
      const beganMs = this.script.nowMs;
      this.script.nowMs += answerMs;
      const range = { from: from as number, to: to as number };
      this.noted(this.script.answers(id, step, range, range.to), true);
      // Local threads have worked meanwhile: their clock is the test's own.
      this.script.nowMs = beganMs;
    }
    return lines;
  }
}

describe('a member that joins a run of local threads', () => {
  it('does not interrupt them, and rehearses beside them with tasks whose answers nobody needs', () => {
    const scene = withNewcomer();
    scene.answerMs = Number.POSITIVE_INFINITY;
    const lines = scene.executes(2, 32);
    expect(lines.filter((line) => line.startsWith('far'))).toEqual(['far <- rehearsal 32 [2,5) + weights']);
    expect(lines.at(-1)).toMatch(/^execution 32 with scalars 33: local \[0,5\)$/);
    const answered = (): string[] => scene.script.answers('far', 32, { from: 2, to: 5 }, 5);
    // What is slow at first does not count: a rehearsal follows itself at once.
    expect(answered()).toEqual(['release 100 101', 'far <- rehearsal 32 [2,5) + weights']);
    expect(answered()).toEqual(['release 102 103', 'far <- rehearsal 32 [2,5) + weights']);
    expect(answered()).toEqual(['release 104 105']);
  });

  it('is rehearsed at once until its threads are warm, then less and less often', () => {
    const scene = withNewcomer();
    scene.passes(10_000);
    const gaps = scene.rehearsedMs.slice(1).map((ms, i) => ms - (scene.rehearsedMs[i] as number));
    expect(gaps[0]).toBeLessThan(60);
    for (const [i, gap] of gaps.slice(1).entries()) {
      expect(gap).toBeGreaterThanOrEqual(250 * 2 ** i);
      expect(gap).toBeLessThan(250 * 2 ** i + 60);
    }
    expect(gaps.length).toBeGreaterThan(5);
  });

  it('is on standby where its exchange takes longer than it saves; both sides are told why, once its figures are settled', () => {
    const scene = withNewcomer();
    const lines = scene.passes(400);
    expect(
      lines.filter((line) => !line.startsWith('far <- rehearsal') && !line.startsWith('release')),
    ).toEqual([]);
    const later = scene.passes(3000).filter((line) => /^(notice|far <- placement)/.test(line));
    const remedies =
      'a batch from 256, --compress int8 (3.8 ms a step) or --sync local:replicas=4,steps=30 (0.5 ms a step) would make it useful';
    expect(later).toEqual([
      'far <- placement',
      `notice far is on standby: a step takes 16 ms without this machine, its exchange alone 60 ms; ${remedies}`,
    ]);
    expect(scene.passes(60_000).filter((line) => line.startsWith('notice'))).toEqual([]);
  });

  it('is told again when its figures have changed much', () => {
    const scene = withNewcomer();
    scene.passes(3000);
    scene.answerMs = 400;
    const lines = scene.passes(120_000).filter((line) => line.startsWith('notice'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.at(-1)).toMatch(/its exchange alone (1[5-9]|[234]\d)\d ms; /);
    expect(lines.length).toBeLessThan(6);
  });

  it('is told that nothing helps where the round trip of its link takes too long', () => {
    const scene = withNewcomer();
    scene.answerMs = 100_000;
    (scene.script.state.membership.members.get('far') as { roundTripMs: number }).roundTripMs = 99_000;
    const [notice] = scene.passes(30_000).filter((line) => line.startsWith('notice'));
    expect(notice).toMatch(/; nothing would make it useful on this link$/);
  });

  it('is given leaves as soon as it is measured to make a step faster', () => {
    const scene = withNewcomer();
    scene.answerMs = 2;
    const lines = scene.passes(1000);
    expect(lines.some((line) => line.startsWith('notice far is active: a step takes '))).toBe(true);
    const step = scene.script.state.training.step;
    expect(lines.filter((line) => line.includes(` <- work ${step} `))).toEqual([
      expect.stringMatching(/^local <- work \d+ \[0,\d\)$/),
      expect.stringMatching(/^far <- work \d+ \[\d,\d\) \+ weights$/),
    ]);
  });

  it('that lacks data is sent it when it is expected to help, and is given leaves when all of it is there', () => {
    const scene = withNewcomer({ hasData: false });
    scene.answerMs = 2;
    const lines = scene.passes(2000);
    expect(lines.filter((line) => line === 'far <- fetch')).toHaveLength(1);
    expect(lines.filter((line) => /^(far <- work|notice)/.test(line))).toEqual([]);
    scene.script.says('far', { kind: 'need', chunks: [1] });
    scene.script.says('far', { kind: 'ready' });
    expect(scene.passes(1000).filter((line) => line.startsWith('far <- work'))).toHaveLength(1);
  });

  it('that does not request the data that it was told to fetch keeps nobody else from being told', () => {
    const scene = withNewcomer({ hasData: false });
    scene.answerMs = 2;
    expect(scene.passes(2000)).toContain('far <- fetch');
    scene.script.joinsWithoutData('near');
    expect(scene.passes(5000)).not.toContain('near <- fetch');
    // As the heartbeat counts it.
    Object.assign(scene.script.state.membership.members.get('far') ?? {}, { preparedMs: 5001 });
    expect(scene.passes(5000)).toContain('near <- fetch');
  });

  it('that lacks data is never sent it while it would be on standby', () => {
    const scene = withNewcomer({ hasData: false });
    expect(scene.passes(30_000).filter((line) => line === 'far <- fetch')).toEqual([]);
  });

  it('that never answers costs the run nothing, however long it stays', () => {
    const scene = withNewcomer();
    scene.answerMs = Number.POSITIVE_INFINITY;
    scene.executes(2, 32);
    for (let epoch = 0; epoch < 20; epoch++) {
      const lines = [
        ...scene.executes(1, 10),
        ...scene.script.tell({ kind: 'evaluated', means: { loss: 1 } }),
        ...scene.executes(2, 32),
      ];
      expect(lines.filter((line) => line.startsWith('far'))).toEqual([]);
      expect(lines.filter((line) => line.startsWith('execution'))).toHaveLength(2);
    }
  });
});
