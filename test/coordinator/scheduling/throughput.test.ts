import { describe, expect, it } from 'vitest';
import {
  capacities,
  decayPenalty,
  hedgeDelayMs,
  measure,
  type Throughput,
} from '../../../coordinator/scheduling/throughput.js';

/** The throughput after so many equal answers. */
function learned(answers: number, timing: Parameters<typeof measure>[1], before?: Throughput): Throughput {
  let throughput = before;
  for (let i = 0; i < answers; i++) throughput = measure(throughput, timing);
  return throughput as Throughput;
}

const STEADY = { leaves: 10, vectors: 1, computeMs: 20, elapsedMs: 24, movingMs: 0 };

describe('the throughput of a member', () => {
  it('separates compute time from overhead', () => {
    expect(learned(1, STEADY)).toMatchObject({ msPerLeaf: 2, overheadMs: 4 });
  });

  it('takes the overhead of an answer with several partial sums for that of one with a single one', () => {
    const [single, triple] = [1, 3].map((vectors) => measure(undefined, { ...STEADY, vectors }));
    expect(single?.overheadMs).toBe(4);
    expect(triple?.overheadMs).toBe(2);
    expect(hedgeDelayMs(triple, { leaves: 10, vectors: 3 })).toBe(
      hedgeDelayMs(single, { leaves: 10, vectors: 1 }),
    );
  });

  it('takes the time in which bytes are moved on the same cores for overhead, up to half of what is reported', () => {
    expect(measure(undefined, { ...STEADY, movingMs: 5 })).toMatchObject({ msPerLeaf: 1.5, overheadMs: 9 });
    expect(measure(undefined, { ...STEADY, movingMs: 50 })).toMatchObject({ msPerLeaf: 1, overheadMs: 14 });
  });

  it('follows a machine that has become slower within 14 answers, and changes by a quarter after a single slow answer', () => {
    const before = learned(1, STEADY);
    const slow = { leaves: 10, vectors: 1, computeMs: 80, elapsedMs: 84, movingMs: 0 };
    expect(measure(before, slow).msPerLeaf).toBe(2.5);
    expect(learned(14, slow, before).msPerLeaf).toBeGreaterThan(7.5);
  });

  it('is bounded by the elapsed time and never zero', () => {
    expect(
      measure(undefined, { leaves: 1, vectors: 1, computeMs: 9, elapsedMs: 3, movingMs: 0 }),
    ).toMatchObject({
      msPerLeaf: 3,
      overheadMs: 0,
    });
    expect(
      measure(undefined, { leaves: 1, vectors: 1, computeMs: 0, elapsedMs: 3, movingMs: 0 }).msPerLeaf,
    ).toBeGreaterThan(0);
  });

  it('allows a steady member a quarter more than the expected time, and an unsteady one at most four times as long', () => {
    expect(hedgeDelayMs(learned(60, STEADY), { leaves: 10, vectors: 1 })).toBeCloseTo(24 * 1.25 + 5, 3);
    const unsteady = { msPerLeaf: 2, overheadMs: 4, deviationMs: 1000 };
    expect(hedgeDelayMs(unsteady, { leaves: 10, vectors: 1 })).toBe(24 * 4 + 5);
    expect(hedgeDelayMs(undefined, { leaves: 10, vectors: 1 })).toBe(1500);
  });

  it('of a member that has not answered is assumed to be that of the others per thread', () => {
    const throughput = { msPerLeaf: 2, overheadMs: 4, deviationMs: 0 };
    const workers = [
      { member: { id: 'a', name: 'a', threads: 2 }, throughput },
      { member: { id: 'b', name: 'b', threads: 4 }, throughput: undefined },
    ];
    expect(capacities(workers)[1]).toMatchObject({ msPerLeaf: 1, overheadMs: 4 });
  });

  it('of a member that is given nothing is assumed to rise a little each step, so that it is tried again', () => {
    let throughput: Throughput = { msPerLeaf: 1, overheadMs: 100, deviationMs: 9 };
    for (let step = 0; step < 230; step++) throughput = decayPenalty(throughput);
    expect(throughput.overheadMs).toBeLessThan(1);
  });
});
