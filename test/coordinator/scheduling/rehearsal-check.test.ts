import { describe, expect, it } from 'vitest';
import { CHECK } from '../../../coordinator/scheduling/rehearsal-check.js';
import { trustIn } from '../../../coordinator/state/member.js';
import { FIRST, Script, SECOND } from '../script.js';

/** `a` is local and `b` works for the run; `c` has just joined, and has been sent its first rehearsal in step 1. */
function rehearsing(): Script {
  const script = new Script({ minWorkers: 2 });
  script.joins('a', { local: true });
  script.joins('b', { rehearsed: true });
  script.joins('c');
  const lines = completeStep(script, 0);
  expect(lines.filter((line) => line.startsWith('c <- '))).toEqual(['c <- rehearsal 1 [0,4) + kept-weights']);
  return script;
}

/** `a` and `b` have answered, and the step's sum is in the weights. @returns what follows */
function completeStep(script: Script, step: number): string[] {
  script.answers('a', step, FIRST);
  script.answers('b', step, SECOND);
  return script.tell({ kind: 'finished', metrics: [1] });
}

function hashed(script: Script, memberId: string, hash: string): string[] {
  const message = { kind: 'compared', step: 1, task: CHECK, parameter: undefined } as const;
  const lines = script.tellAll({ ...message, hashes: [{ memberId, hash }] });
  return lines.filter((line) => !line.startsWith('release'));
}

const EXPELLED = [
  'report expelled c over [0,4): rehearsal, wrong for right',
  'notice refused c: its sums over the leaves 0 to 4 of step 1 are wrong, in a rehearsal',
];

describe('the first rehearsal of a member, beside a computer that is believed', () => {
  it('is compared when the step has ended before it; a wrong answer is an offence, and nothing rolls back', () => {
    const script = rehearsing();
    script.answers('b', 1, SECOND);
    const closed = script.answers('a', 1, FIRST);
    // Before the sums are added up.
    expect(closed[0]).toBe(`compare task ${CHECK}: a`);
    expect(closed[1]).toMatch(/^finish 1 /);
    expect(hashed(script, 'a', 'right')).toEqual([]);
    script.tell({ kind: 'finished', metrics: [1] });
    const answered = script.answers('c', 1, FIRST);
    expect(answered.slice(0, 2)).toEqual([`compare task ${CHECK}: c`, expect.stringMatching(/^release /)]);
    const member = script.state.membership.members.get('c');
    expect(hashed(script, 'c', 'wrong').slice(0, 2)).toEqual(EXPELLED);
    expect(member && trustIn(member)).toBe('convicted');
    expect(script.state.membership.members.has('c')).toBe(false);
    expect(script.state.training.step).toBe(2);
  });

  it('is compared when it is answered before the step ends', () => {
    const script = rehearsing();
    expect(script.answers('c', 1, FIRST)[0]).toBe(`compare task ${CHECK}: c`);
    expect(hashed(script, 'c', 'wrong')).toEqual([]);
    script.answers('b', 1, SECOND);
    expect(script.answers('a', 1, FIRST)[0]).toBe(`compare task ${CHECK}: a`);
    expect(hashed(script, 'a', 'right').slice(0, 2)).toEqual(EXPELLED);
  });

  it('is checked once if it is right, and does not make the member more believed: it can tell it from work', () => {
    const script = rehearsing();
    script.answers('c', 1, FIRST);
    hashed(script, 'c', 'right');
    script.answers('b', 1, SECOND);
    script.answers('a', 1, FIRST);
    expect(hashed(script, 'a', 'right')).toEqual([]);
    expect(script.state.scheduling.workers.get('c')?.rehearsals.isChecked).toBe(true);
    expect(script.state.membership.members.get('c')?.standing.confirmed).toBe(0);
    expect(script.state.scheduling.check).toBeUndefined();
  });

  it('is not compared once the member was sent other weights, with which it may compute', () => {
    const script = rehearsing();
    const worker = script.state.scheduling.workers.get('c');
    if (worker === undefined) throw new Error('c is gone');
    // Nobody else is left: it is given work before it has answered.
    script.leaves('b');
    script.leaves('a');
    expect(worker.deliveries).toBe(2);
    expect(script.answers('c', 1, FIRST).some((line) => line.startsWith(`compare task ${CHECK}`))).toBe(
      false,
    );
  });

  it('is compared with the sums of the first time when its step is computed again, with other tasks', () => {
    const script = rehearsing();
    script.answers('b', 1, SECOND);
    expect(script.answers('a', 1, FIRST)[0]).toBe(`compare task ${CHECK}: a`);
    expect(hashed(script, 'a', 'right')).toEqual([]);
    const again = script.tell({ kind: 'finished', metrics: [Number.NaN], isBroken: true });
    expect(again.filter((line) => line.startsWith('a <- '))).toEqual([
      'a <- work 1 [0,4)',
      'a <- work 1 [4,8)',
    ]);
    script.answers('a', 1, FIRST);
    script.answers('b', 1, SECOND);
    expect(script.answers('a', 1, SECOND)).toEqual(['compare task 1: b a']);
    const hashes = ['a', 'b'].map((memberId) => ({ memberId, hash: 'same' }));
    const closed = script.tell({ kind: 'compared', step: 1, task: 1, parameter: undefined, hashes });
    expect(closed.filter((line) => !line.startsWith('release')).at(0)).toMatch(/^finish 1 /);
    script.answers('c', 1, FIRST);
    expect(hashed(script, 'c', 'right')).toEqual([]);
    expect(script.state.membership.members.has('c')).toBe(true);
  });

  it('must be of the sums that were asked for', () => {
    const script = rehearsing();
    const nodes = [{ level: 0, index: 0 }];
    const answer = { kind: 'partial-sums', step: 1, range: FIRST, nodes, computeMicros: 1 } as const;
    expect(script.says('c', answer)).toContain(
      'c <- refuse: its partial sums do not match its task (wrong-nodes)',
    );
  });

  it('is dropped with the member, and another one is checked then', () => {
    const script = rehearsing();
    script.joins('d');
    script.leaves('c');
    expect(script.state.scheduling.check).toBeUndefined();
    expect(completeStep(script, 1).filter((line) => line.startsWith('d <- '))).toEqual([
      expect.stringMatching(/^d <- rehearsal 2 .* \+ kept-weights$/),
    ]);
  });
});

it('where nobody is believed, a rehearsal is not checked', () => {
  const script = new Script();
  script.joins('b', { rehearsed: true });
  script.joins('c');
  script.answers('b', 0, { from: 0, to: 8 });
  expect(script.tell({ kind: 'finished', metrics: [1] })).toContain('c <- rehearsal 1 [4,8) + weights');
});
