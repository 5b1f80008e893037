import { describe, expect, it } from 'vitest';
import {
  bestLayout,
  fitExchanges,
  relayedMs,
  type StepCosts,
  starMs,
  usefulMembers,
  worthwhileLayout,
} from '../../../coordinator/scheduling/step-model.js';

/** 100 ms of computing for each of 100 members; 3.2 ms of a link of 1 Gb/s for each exchange. */
const COSTS: StepCosts = { computeMs: 10_000, exchangeMs: 7, sharedMs: 3.2 };

describe('the time of a step', () => {
  it('is that of a share and of all exchanges, one after the other', () => {
    expect(starMs(COSTS, 1)).toBe(10_007);
    expect(starMs(COSTS, 100)).toBeCloseTo(100 + 7 + 99 * 3.2, 9);
  });

  it('is shortest with as many members as save more than their exchange takes', () => {
    const useful = usefulMembers(COSTS, 1000);
    expect(useful).toBe(56);
    for (const other of [useful - 2, useful + 2])
      expect(starMs(COSTS, other)).toBeGreaterThan(starMs(COSTS, useful));
    expect(usefulMembers(COSTS, 20)).toBe(20);
    expect(usefulMembers({ ...COSTS, sharedMs: 0 }, 1000)).toBe(1000);
  });
});

describe('a layout with relays', () => {
  it('has about as many relays as workers below each', () => {
    const { relays, below, stepMs } = bestLayout(COSTS, 100) as NonNullable<ReturnType<typeof bestLayout>>;
    expect([relays, below]).toEqual([10, 10]);
    expect(stepMs).toBeCloseTo(100 + 2 * 7 + 18 * 3.2, 9);
    expect(stepMs).toBe(relayedMs(COSTS, 100, 10));
  });

  it('is worth it where the link is full', () => {
    expect(worthwhileLayout(COSTS, 100)).toMatchObject({ relays: 10, below: 10 });
  });

  it('is not worth it for few workers, for links that nothing shares, or where another round trip takes what it saves', () => {
    expect(worthwhileLayout(COSTS, 8)).toBeUndefined();
    expect(worthwhileLayout({ ...COSTS, sharedMs: 0 }, 1000)).toBeUndefined();
    expect(worthwhileLayout({ ...COSTS, exchangeMs: 300 }, 100)).toBeUndefined();
  });

  it('is compared with the members that are of use, not with all', () => {
    const few = { ...COSTS, computeMs: 100 };
    // Six members take 35 ms more than one share; a hundred would take 320 ms.
    expect(starMs(few, usefulMembers(few, 100))).toBeLessThan(45);
    expect(worthwhileLayout(few, 100)).toBeUndefined();
  });
});

describe('the costs of exchanges', () => {
  const sample = (members: number, restMs: number) => ({ members, restMs });

  it('are found again in exact times', () => {
    const exact = [4, 9, 16, 40].map((members) => sample(members, 7 + 3.2 * (members - 1)));
    const { exchangeMs, sharedMs } = fitExchanges(exact) as NonNullable<ReturnType<typeof fitExchanges>>;
    expect(exchangeMs).toBeCloseTo(7, 9);
    expect(sharedMs).toBeCloseTo(3.2, 9);
  });

  it('share nothing where more members take less', () => {
    expect(fitExchanges([sample(2, 9), sample(4, 8), sample(8, 7)])).toEqual({ exchangeMs: 8, sharedMs: 0 });
  });

  it('are unknown as long as the numbers of members are alike, or too few', () => {
    expect(fitExchanges([])).toBeUndefined();
    expect(fitExchanges([sample(10, 9), sample(12, 10), sample(15, 11)])).toBeUndefined();
    expect(fitExchanges([sample(1, 9), sample(100, 300)])).toBeUndefined();
  });
});
