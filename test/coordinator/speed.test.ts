import { describe, expect, it } from 'vitest';
import { capacities, forgive, measure, patienceMs, type Speed } from '../../coordinator/speed.js';

/** What is known after so many equal answers. */
function learned(answers: number, timing: Parameters<typeof measure>[1], before?: Speed): Speed {
  let speed = before;
  for (let i = 0; i < answers; i++) speed = measure(speed, timing);
  return speed as Speed;
}

const STEADY = { leaves: 10, computeMs: 20, elapsedMs: 24 };

describe('the measured speed of a member', () => {
  it('tells time on its threads from all other time', () => {
    expect(learned(1, STEADY)).toMatchObject({ msPerLeaf: 2, overheadMs: 4 });
  });

  it('follows a machine that became slower within some ten answers, and a single hitch by a quarter only', () => {
    const before = learned(1, STEADY);
    const slow = { leaves: 10, computeMs: 80, elapsedMs: 84 };
    expect(measure(before, slow).msPerLeaf).toBe(2.5);
    expect(learned(14, slow, before).msPerLeaf).toBeGreaterThan(7.5);
  });

  it('believes no member that it took longer than it did, or no time at all', () => {
    expect(measure(undefined, { leaves: 1, computeMs: 9, elapsedMs: 3 })).toMatchObject({
      msPerLeaf: 3,
      overheadMs: 0,
    });
    expect(measure(undefined, { leaves: 1, computeMs: 0, elapsedMs: 3 }).msPerLeaf).toBeGreaterThan(0);
  });

  it('grants a steady member a quarter more than expected, and an unsteady one at most four times as long', () => {
    expect(patienceMs(learned(60, STEADY), 10)).toBeCloseTo(24 * 1.25 + 5, 3);
    const unsteady = { msPerLeaf: 2, overheadMs: 4, deviationMs: 1000 };
    expect(patienceMs(unsteady, 10)).toBe(24 * 4 + 5);
    expect(patienceMs(undefined, 10)).toBe(1500);
  });

  it('of one that has not answered is thought to be that of the others, thread by thread', () => {
    const speed = { msPerLeaf: 2, overheadMs: 4, deviationMs: 0 };
    const members = [
      { id: 'a', name: 'a', threads: 2, speed },
      { id: 'b', name: 'b', threads: 4, speed: undefined },
    ];
    expect(capacities(members)[1]).toMatchObject({ msPerLeaf: 1, overheadMs: 4 });
  });

  it('is forgiven in time: who was given nothing is tried again', () => {
    let speed: Speed = { msPerLeaf: 1, overheadMs: 100, deviationMs: 9 };
    for (let step = 0; step < 230; step++) speed = forgive(speed);
    expect(speed.overheadMs).toBeLessThan(1);
  });
});
