import { describe, expect, it } from 'vitest';
import { commonEndMs } from '../../../coordinator/scheduling/assignment.js';
import {
  aloneMsPerLeaf,
  decide,
  initialPlacement,
  isAloneSettled,
  isDataWorthwhile,
  localThreads,
  noteAlone,
  noteDistributed,
  type Placement,
  predictBest,
  type StepWindow,
  stepMsWith,
} from '../../../coordinator/scheduling/placement.js';

const LEAVES = 8;
const member = (id: string, msPerLeaf: number, overheadMs: number) => ({
  id,
  name: id,
  msPerLeaf,
  overheadMs,
});
/** Steps left of a run that goes on for hours. */
const LONG = 1e6;
/** Local threads alone: 16 ms a step. */
const ALONE = { ...member('local', 2, 0), helperMs: 0 };

function steps(count: number, stepMs: number): StepWindow {
  return { steps: count, leaves: count * LEAVES, elapsedMs: count * stepMs };
}

function measured(): Placement {
  const placement = initialPlacement('auto');
  for (let i = 0; i < 4; i++) noteAlone(placement, steps(12, 16), 0);
  return placement;
}

describe('the prediction of a step', () => {
  it('is the time of local threads alone where no helper pays', () => {
    const far = member('far', 1, 40);
    expect(predictBest(LEAVES, ALONE, [far])).toEqual({ helpers: [], stepMs: 16 });
  });

  it('takes the helpers that make it shortest, the best first, and leaves out a member with too much overhead', () => {
    const [near, next, far] = [member('near', 2, 1), member('next', 2, 3), member('far', 1, 40)];
    const best = predictBest(LEAVES, ALONE, [far, next, near]);
    expect(best.helpers.map(({ id }) => id)).toEqual(['near', 'next']);
    // (8 leaves + 1/2 + 3/2) / (3 members / 2 ms)
    expect(best.stepMs).toBeCloseTo(10 / 1.5, 9);
    expect(best.stepMs).toBe(commonEndMs(LEAVES, [ALONE, near, next]));
  });
});

describe('local threads', () => {
  it('lose time for each helper, by the bytes that it exchanges', () => {
    const { helperMs } = localThreads(2, 4_000_000);
    expect(helperMs).toBeCloseTo(2.8, 9);
    const costly = { ...ALONE, helperMs };
    const near = [member('near', 2, 1), member('next', 2, 1)];
    // (8 leaves + 5.6/2 + 1/2 + 1/2) / (3 members / 2 ms)
    expect(stepMsWith(LEAVES, costly, near)).toBeCloseTo(11.8 / 1.5, 9);
    expect(stepMsWith(LEAVES, costly, [])).toBe(16);
    // A helper whose exchange alone takes no time still costs them more than it saves.
    expect(predictBest(LEAVES, { ...ALONE, helperMs: 17 }, [member('near', 2, 0)]).helpers).toEqual([]);
  });
});

describe('the choice of helpers', () => {
  it('rests on local threads that were measured for a while, without the first two executions, which warm up', () => {
    const placement = initialPlacement('auto');
    for (let i = 0; i < 2; i++) noteAlone(placement, steps(1, 500), 0);
    expect(isAloneSettled(placement)).toBe(false);
    noteAlone(placement, steps(12, 16), 0);
    expect(isAloneSettled(placement)).toBe(false);
    noteAlone(placement, steps(12, 16), 0);
    expect(isAloneSettled(placement)).toBe(true);
    expect(aloneMsPerLeaf(placement)).toBe(2);
  });

  it('takes many short steps for more than the single one between two epochs, whose handing over takes longer', () => {
    const placement = initialPlacement('auto');
    for (let epoch = 0; epoch < 20; epoch++) {
      noteAlone(placement, steps(400, 0.1), 40 * epoch);
      noteAlone(placement, steps(1, 1.5), 40 * epoch);
    }
    expect(aloneMsPerLeaf(placement) * LEAVES).toBeLessThan(0.11);
  });

  it('follows local threads that have become slower', () => {
    const placement = measured();
    for (let second = 10; second < 60; second += 10) noteAlone(placement, steps(4, 32), 1000 * second);
    expect(aloneMsPerLeaf(placement)).toBeGreaterThan(3);
  });

  it('is a member that is expected to save a twentieth of a step, and no other', () => {
    const placement = measured();
    expect(decide(placement, LEAVES, ALONE, [member('a', 2, 15)], LONG, 0)).toBeUndefined();
    expect(placement.helpers.size).toBe(0);
    expect(decide(placement, LEAVES, ALONE, [member('a', 2, 4)], LONG, 0)).toBe(
      'a step is expected to take 10 ms instead of 16 ms',
    );
    expect([...placement.helpers]).toEqual(['a']);
  });

  it('is dropped after a few steps when these take much longer than local threads alone, and is tried again later and later', () => {
    const placement = measured();
    const candidates = [member('a', 2, 4)];
    let [nowMs, tries] = [0, 0];
    const triedAtMs: number[] = [];
    while (nowMs < 200_000) {
      if (placement.helpers.size === 0) {
        noteAlone(placement, steps(1, 16), nowMs);
        nowMs += 16;
      } else {
        noteDistributed(placement, LEAVES, 32);
        nowMs += 32;
      }
      const before = placement.helpers.size;
      const reason = decide(placement, LEAVES, ALONE, candidates, LONG, nowMs);
      if (before === 0 && placement.helpers.size > 0) {
        tries += 1;
        triedAtMs.push(nowMs);
      }
      if (before > 0 && placement.helpers.size === 0)
        expect(reason).toBe('a step took 32 ms with helpers, and takes 16 ms on local threads alone');
    }
    expect(tries).toBeGreaterThan(3);
    const gaps = triedAtMs.slice(1).map((atMs, i) => atMs - (triedAtMs[i] as number));
    expect(gaps.at(-1)).toBeGreaterThan(2 * (gaps[0] as number));
    // Trials lose a hundredth of the time at most, and that before the one that exceeds it.
    expect(placement.lostMs).toBeLessThan(0.02 * placement.spentMs);
  });

  it('is kept while its steps are faster, and dropped when a member is stopped now and then', () => {
    const placement = measured();
    const candidates = [member('a', 2, 4)];
    decide(placement, LEAVES, ALONE, candidates, LONG, 0);
    let nowMs = 0;
    for (let step = 0; step < 400; step++) {
      noteDistributed(placement, LEAVES, 10);
      nowMs += 10;
      decide(placement, LEAVES, ALONE, candidates, LONG, nowMs);
      expect(placement.helpers.size).toBe(1);
    }
    // 0.4 s of every second nothing moves.
    for (let step = 0; step < 400 && placement.helpers.size > 0; step++) {
      noteDistributed(placement, LEAVES, step % 40 === 0 ? 400 : 11);
      decide(placement, LEAVES, ALONE, candidates, LONG, nowMs);
    }
    expect(placement.helpers.size).toBe(0);
  });

  it('is dropped in a short run when it has lost one part in 67 of the time that the run is expected to take', () => {
    const lostIn = (stepsLeft: number): number => {
      const placement = measured();
      const candidates = [member('a', 2, 4)];
      decide(placement, LEAVES, ALONE, candidates, stepsLeft, 0);
      let steps = 0;
      // A little slower than local threads alone: clear only after a while.
      for (; placement.helpers.size > 0; steps++) {
        noteDistributed(placement, LEAVES, 18);
        decide(placement, LEAVES, ALONE, candidates, stepsLeft - steps - 1, 18 * steps);
      }
      expect(steps).toBeGreaterThanOrEqual(4);
      return steps * (18 - 16);
    };
    // 250 steps of 16 ms: 4 s, and 0.8 s that were spent.
    expect(lostIn(250)).toBeLessThan(0.015 * 4800 + 3);
    expect(lostIn(LONG)).toBeGreaterThan(100);
  });

  it('is dropped sooner where little is to be saved: when it has lost a quarter of that', () => {
    const placement = measured();
    const candidates = [member('a', 2, 12)];
    // 20 steps of which each is expected to take 14 ms instead of 16.
    decide(placement, LEAVES, ALONE, candidates, 20, 0);
    expect(placement.helpers.size).toBe(1);
    noteDistributed(placement, LEAVES, 16 + 11);
    decide(placement, LEAVES, ALONE, candidates, 19, 27);
    expect(placement.helpers.size).toBe(0);
  });

  it('survives slow first steps, while both sides warm up, when those after them are faster', () => {
    const placement = measured();
    const candidates = [member('a', 2, 4)];
    decide(placement, LEAVES, ALONE, candidates, 400, 0);
    for (let step = 0; step < 300; step++) {
      noteDistributed(placement, LEAVES, step === 0 ? 40 : step < 8 ? 19 : 10);
      decide(placement, LEAVES, ALONE, candidates, 400 - step - 1, 10 * step);
      expect(placement.helpers.size).toBe(1);
    }
  });

  it('does not last beyond a member that has left', () => {
    const placement = measured();
    decide(placement, LEAVES, ALONE, [member('a', 2, 4)], LONG, 0);
    decide(placement, LEAVES, ALONE, [], LONG, 1);
    expect(placement.helpers.size).toBe(0);
  });
});

describe('the data of a member', () => {
  const saves4Of16 = { helpers: [member('a', 2, 4)], stepMs: 12 };

  it('is worth sending where enough steps are left to save several times what sending takes', () => {
    const transfer = { costMs: 100, transferMs: 0 };
    expect(isDataWorthwhile(saves4Of16, 16, 76, transfer)).toBe(true);
    expect(isDataWorthwhile(saves4Of16, 16, 74, transfer)).toBe(false);
  });

  it('is not worth sending where the run is nearly over when it has arrived', () => {
    const transfer = { costMs: 100, transferMs: 19_200 };
    expect(isDataWorthwhile(saves4Of16, 16, 1200, transfer)).toBe(false);
    expect(isDataWorthwhile(saves4Of16, 16, 1300, transfer)).toBe(true);
  });
});
