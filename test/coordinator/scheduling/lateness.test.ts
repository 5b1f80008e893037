import { describe, expect, it } from 'vitest';
import { onAwaited, onLate, onPrompt, unanswering } from '../../../coordinator/scheduling/lateness.js';
import { activeWorkers, type WorkerRecord } from '../../../coordinator/scheduling/scheduling-state.js';
import { Script } from '../script.js';

function worker(script: Script, id: string): WorkerRecord {
  return script.state.scheduling.workers.get(id) as WorkerRecord;
}

/** A local member and a remote one that has answered before. */
function withHelper(): { script: Script; helper: WorkerRecord } {
  const script = new Script({ minWorkers: 2 });
  script.joins('local', { local: true });
  script.joins('a', { rehearsed: true });
  return { script, helper: worker(script, 'a') };
}

function active({ state }: Script): string[] {
  return activeWorkers(state.scheduling).map(({ member }) => member.id);
}

describe('a member that is late', () => {
  it('once in a while takes part in every step', () => {
    const { script, helper } = withHelper();
    for (let i = 0; i < 20; i++) {
      onLate(helper, 0);
      for (let step = 0; step < 32; step++) onPrompt(helper);
      expect(active(script)).toEqual(['local', 'a']);
    }
  });

  it('twice in a row is rehearsed before it takes part again, and each time after a longer wait', () => {
    const { script, helper } = withHelper();
    onLate(helper, 0);
    const waits: number[] = [];
    for (let times = 0; times < 14; times++) {
      onLate(helper, 1000);
      expect(active(script)).toEqual(['local']);
      waits.push(helper.rehearsals.nextAtMs - 1000);
      // It answers its rehearsal, and is late again at once.
      helper.hasRehearsed = true;
    }
    expect(waits.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
    expect(waits.at(-1)).toBe(600_000);
  });
});

/** Two remote members that each have taken 10 ms for a leaf, one of them at times, at the beginning of a step of eight leaves. */
function unsteady(): Script {
  const script = new Script({ minWorkers: 2 });
  for (const id of ['a', 'b']) script.joins(id);
  for (const [id, range] of owed(script)) script.answers(id, 0, range);
  worker(script, 'a').throughput = { msPerLeaf: 10, overheadMs: 0, deviationMs: 40 };
  worker(script, 'b').throughput = { msPerLeaf: 10, overheadMs: 0, deviationMs: 0 };
  script.tell({ kind: 'finished', metrics: [1] });
  return script;
}

/** Who owes what in the step under way. */
function owed({ state }: Script): [id: string, range: { from: number; to: number }][] {
  const held = [...(state.scheduling.current?.held ?? [])];
  return held.flatMap(([id, tasks]) => tasks.map(({ range }): [string, typeof range] => [id, range]));
}

/** The member b answers when it is expected to, and a after so long. */
function answersAfter(script: Script, aMs: number): void {
  const [[, first], [, second]] = owed(script) as [ReturnType<typeof owed>[0], ReturnType<typeof owed>[0]];
  script.nowMs += 40;
  script.answers('b', 1, second);
  script.nowMs += aMs - 40;
  script.answers('a', 1, first);
}

describe('a member that is unsteady, so that nothing of it is overdue', () => {
  it('is late as far as a step takes longer than it would have taken without it', () => {
    const script = unsteady();
    answersAfter(script, 165);
    // Alone, b would have taken 71.25 ms, by what was measured of it then.
    expect(worker(script, 'a').lateness).toBeCloseTo(160 / 71.25 - 1.1);
    expect(worker(script, 'b').lateness).toBe(0);
  });

  it('is not late where the others would have taken as long', () => {
    const script = unsteady();
    answersAfter(script, 83);
    expect(worker(script, 'a').lateness).toBe(0);
  });

  it('rehearses when it was so too often, and what is beyond that counts for the next time', () => {
    const { script, helper } = withHelper();
    onAwaited(helper, 80 * 4.6 + 5, 80, 1000);
    expect(active(script)).toEqual(['local']);
    expect(helper.rehearsals.nextAtMs).toBe(1500);
    expect(helper.lateness).toBeCloseTo(2.5);
  });
});

describe('a member that was late too often', () => {
  it('is given the leaves of one that is silent, where there is nobody else', () => {
    const script = unsteady();
    const [[, first]] = owed(script) as [ReturnType<typeof owed>[0]];
    script.answers('a', 1, first);
    worker(script, 'a').hasRehearsed = false;
    script.nowMs = 60;
    const lines = script.tell({ kind: 'woken' });
    expect(lines).toEqual(['a <- work 1 [4,8)']);
  });
});

describe('a member that never answers', () => {
  it('is given one task that nobody needs, and is expelled after two minutes', () => {
    const script = new Script();
    script.joins('local', { local: true });
    script.joins('a');
    const begun = script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
    expect(begun).toContain('a <- rehearsal 1 [4,8) + weights');
    for (let nowMs = 500; nowMs <= 120_000; nowMs += 500) {
      expect(script.tick(nowMs)).toEqual(['a <- ping']);
      script.says('a', { kind: 'pong', id: script.openPing('a') });
    }
    const why = 'it was given work, and has not answered for 120 s';
    expect(script.tick(120_500)).toEqual([
      'a <- ping',
      `notice refused a: ${why}`,
      `a <- refuse: ${why}`,
      `drop a: ${why}`,
      `notice a left (${why}); 1 at work`,
    ]);
  });

  it('has longer where answers take long', () => {
    const { script, helper } = withHelper();
    helper.stragglerTasks.push({ step: 0, range: { from: 0, to: 1 }, dispatchedMs: 0 });
    script.state.scheduling.slowestMs = 5000;
    expect(unanswering(script.state.scheduling, 500_000).ids).toEqual([]);
    expect(unanswering(script.state.scheduling, 500_001).ids).toEqual(['a']);
  });

  it('has no longer because others answer late to what nobody waits for', () => {
    const { script, helper } = withHelper();
    const range = { from: 0, to: 1 };
    helper.stragglerTasks.push({ step: 0, range, dispatchedMs: 0, rehearsal: { warming: 0 } });
    script.nowMs = 100_000;
    script.answers('a', 0, range);
    helper.stragglerTasks.push({ step: 0, range, dispatchedMs: 100_000 });
    expect(unanswering(script.state.scheduling, 220_001).ids).toEqual(['a']);
  });

  it('is one of a few that are awaited at a time', () => {
    const script = new Script();
    script.joins('local', { local: true });
    for (let i = 0; i < 20; i++) script.joins(`silent ${i}`);
    const rehearsed = (lines: readonly string[]): number =>
      lines.filter((line) => line.includes(' <- rehearsal ')).length;
    expect(rehearsed(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }))).toBe(8);
    script.nowMs = 1000;
    expect(rehearsed(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }))).toBe(0);
    script.nowMs = 3000;
    expect(rehearsed(script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 }))).toBe(0);
    expect(rehearsed(script.tell({ kind: 'evaluated', means: { loss: 1 } }))).toBe(8);
  });
});

describe('members that answer all rehearsals', () => {
  it('take a twentieth of the time together, however many they are, and each has its turn', () => {
    // A rehearsal of a megabyte takes 2 ms of this machine's time.
    const script = new Script({
      steps: 1_000_000,
      exchange: { bytes: 1_000_000, others: [] },
      placement: 'auto',
    });
    script.joins('local', { local: true });
    for (let i = 0; i < 100; i++) script.joins(`member ${i}`);
    const times = new Map<string, number>();
    let answers: (() => string[])[] = [];
    let later: (() => string[])[] = [];
    // They answer 100 ms later, which is too late to help.
    const told = (lines: readonly string[]): void => {
      const due = answers;
      answers = later;
      later = [];
      for (const line of [...lines, ...due.flatMap((answer) => answer())]) {
        const [, id, ...numbers] = /^(member \d+) <- rehearsal (\d+) \[(\d+),(\d+)\)/.exec(line) ?? [];
        if (id === undefined) continue;
        times.set(id, (times.get(id) ?? 0) + 1);
        const [step, from, to] = numbers.map(Number) as [number, number, number];
        later.push(() => script.answers(id, step, { from, to }, to));
      }
    };
    for (let nowMs = 50; nowMs <= 10_000; nowMs += 50) {
      script.nowMs = nowMs;
      const { activity, step } = script.state.training;
      if (activity === 'evaluating') told(script.tell({ kind: 'evaluated', means: { loss: 1 } }));
      else
        told(script.tell({ kind: 'executed', metrics: step % 3 === 2 ? [[1]] : [[1], [1]], elapsedMs: 50 }));
    }
    const sent = [...times.values()].reduce((sum, one) => sum + one, 0);
    expect(times.size).toBe(100);
    expect(2 * sent).toBeLessThanOrEqual(500 + 0.05 * 10_000);
    expect(2 * sent).toBeGreaterThan(700);
  });
});
