import { describe, expect, it } from 'vitest';
import { onLate, onPrompt, unanswering } from '../../../coordinator/scheduling/lateness.js';
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
