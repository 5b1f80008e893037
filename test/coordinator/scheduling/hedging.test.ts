import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND } from '../script.js';

/** Four remote members that each take 10 ms for two leaves, at the beginning of the third step. */
function fourAtWork(): Script {
  const script = new Script({ minWorkers: 4 });
  for (const id of ['a', 'b', 'c', 'd']) script.joins(id);
  for (let step = 0; step < 2; step++) {
    script.nowMs = 100 * step + 10;
    ['a', 'b', 'c', 'd'].forEach((id, i) => {
      script.answers(id, step, { from: 2 * i, to: 2 * i + 2 });
    });
    script.nowMs = 100 * (step + 1);
    script.tell({ kind: 'finished', metrics: [1] });
  }
  return script;
}

describe('a straggler', () => {
  it('has its leaves dispatched to idle members too', () => {
    const script = new Script({ minWorkers: 4 });
    for (const id of ['a', 'b', 'c', 'd']) script.joins(id);
    script.nowMs = 100;
    ['a', 'b', 'c'].forEach((id, i) => {
      script.answers(id, 0, { from: 2 * i, to: 2 * i + 2 });
    });
    // Nothing is known of d yet: its first answer may take 1.5 s.
    script.nowMs = 1499;
    expect(script.tell({ kind: 'woken' })).toEqual([]);
    script.nowMs = 1500;
    expect(script.tellAll({ kind: 'woken' })).toEqual([
      'report hedge [6,8) of d by 3',
      'a <- work 0 [6,7)',
      'c <- work 0 [7,8)',
      expect.stringMatching(/^wake after \d+ ms$/),
    ]);
    script.answers('c', 0, { from: 7, to: 8 });
    expect(script.answers('a', 0, { from: 6, to: 7 })[0]).toMatch(/^finish 0 /);
    // Its own answer is too late, and the member is not refused for it; until then it is given nothing.
    const next = script.tell({ kind: 'finished', metrics: [1] });
    expect(next.filter((line) => line.includes('work 1 ')).map((line) => line[0])).toEqual(['a', 'c']);
    expect(script.answers('d', 0, { from: 6, to: 8 })).toEqual(['release 105']);
    expect(script.state.scheduling.workers.get('d')?.stragglerTasks).toEqual([]);
  });

  it('is a member that takes a quarter longer than was measured of it', () => {
    const script = fourAtWork();
    // 18 samples make five leaves in the third step: too few for d.
    script.nowMs = 210;
    const owed = [...(script.state.scheduling.current?.held ?? [])].filter(([, tasks]) => tasks.length > 0);
    const [[slow]] = owed as [[string, unknown]];
    for (const [id, tasks] of owed.slice(1))
      for (const { range } of [...tasks]) script.answers(id, 2, range, 5);
    script.nowMs = 200 + 50;
    expect(script.tellAll({ kind: 'woken' })[0]).toMatch(new RegExp(`^report hedge .* of ${slow} by `));
  });

  it('that is the only member is waited for; a member that joins gets its leaves too, and the first answer counts', () => {
    const script = new Script();
    script.joins('a');
    script.nowMs = 5000;
    expect(script.tell({ kind: 'woken' })).toEqual([]);
    script.joins('b');
    script.nowMs = 5025;
    expect(script.tell({ kind: 'woken' })).toEqual(['b <- work 0 [0,8) + weights']);
    expect(script.answers('a', 0, { from: 0, to: 8 })).toEqual(['finish 0 with scalars 1: (3,0)@100']);
    expect(script.answers('b', 0, { from: 0, to: 8 })).toEqual(['release 101']);
  });

  it('that answers while the step is still open is compared with the faster member', () => {
    const script = new Script({ minWorkers: 3, leavesPerGroup: 8 / 2 });
    for (const id of ['a', 'b', 'c']) script.joins(id);
    const held = [...(script.state.scheduling.current?.held.keys() ?? [])];
    const [slow, other] = held as [string, string];
    // Only one is idle, so it gets the whole task.
    script.nowMs = 1500;
    const idle = ['a', 'b', 'c'].find((id) => !held.includes(id)) as string;
    expect(script.tell({ kind: 'woken' })).toEqual([`${idle} <- work 0 [0,4) + weights`]);
    script.answers(idle, 0, FIRST);
    expect(script.answers(slow, 0, FIRST)).toEqual([`compare task 0: ${idle} ${slow}`]);
    const hashes = [idle, slow].map((memberId) => ({ memberId, hash: 'same' }));
    script.tell({ kind: 'compared', step: 0, task: 0, hashes, parameter: undefined });
    expect(script.answers(other, 0, SECOND)).toEqual([
      'release 101',
      'finish 0 with scalars 1: (2,0)@100 (2,1)@102',
    ]);
  });
});
