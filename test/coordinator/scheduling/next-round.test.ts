import { describe, expect, it } from 'vitest';
import { sgd } from '../../../shared/optim/sgd.js';
import { Script } from '../script.js';

/** Two replicas of 100 ms each; the far member's exchange takes 600 ms. */
function roundWithFarMember(others: readonly { option: string; bytes: number; steps: number }[]): string[] {
  const local = { replicas: 2, steps: 3, optimizer: sgd() };
  const exchange = { bytes: 1_000_000, others };
  const script = new Script({ placement: 'auto', local, steps: 100, evaluateEvery: 100, exchange });
  script.joins('local', { local: true });
  script.joins('far', { rehearsed: true });
  script.answers('local', 0, { from: 0, to: 1 }, 2);
  script.answers('local', 0, { from: 1, to: 2 }, 2);
  for (const [id, overheadMs] of [['local', 1] as const, ['far', 600] as const]) {
    const worker = script.state.scheduling.workers.get(id);
    if (worker !== undefined) worker.throughput = { msPerLeaf: 100, overheadMs, deviationMs: 1 };
  }
  return script.tell({ kind: 'finished', metrics: [1] });
}

describe('a member on standby beside rounds of local updates', () => {
  const codecs = [
    { option: '--compress int8', bytes: 252_000, steps: 1 },
    { option: '--compress int4', bytes: 133_000, steps: 1 },
  ];

  it('is told of the first codec with which it would be given replicas', () => {
    const notice = roundWithFarMember(codecs).find((line) => line.includes('on standby'));
    expect(notice).toContain('which needs 700 ms for one replica; --compress int4, more replicas (--sync');
  });

  it('is told of none where none would do', () => {
    const notice = roundWithFarMember(codecs.slice(0, 1)).find((line) => line.includes('on standby'));
    expect(notice).toContain(
      'for one replica; more replicas (--sync local:replicas=R), or more threads here',
    );
  });
});

describe('what a member is sent for a round with a codec', () => {
  /** Two replicas each. b is late with its second one, or with both, and is told to give them up. @returns round 1 */
  function afterCancellation(answered: readonly number[]): string[] {
    const local = { replicas: 4, steps: 3, optimizer: sgd(), codec: 'int8' } as const;
    const script = new Script({ local, steps: 100, evaluateEvery: 100, minWorkers: 2 });
    for (const id of ['a', 'b']) script.joins(id, { rehearsed: true });
    const answer = (id: string, leaf: number): string[] =>
      script.answers(id, 0, { from: leaf, to: leaf + 1 }, 4);
    for (const leaf of [0, 1]) answer('a', leaf);
    for (const leaf of answered) answer('b', leaf);
    for (const leaf of [2, 3].filter((one) => !answered.includes(one))) {
      script.nowMs += 60_000;
      expect(script.tell({ kind: 'woken' })).toEqual([`a <- work 0 [${leaf},${leaf + 1})`]);
      answer('a', leaf);
    }
    script.says('b', { kind: 'cancelled', step: 0 });
    // As fast as the other, however late it was.
    for (const worker of script.state.scheduling.workers.values()) {
      worker.throughput = { msPerLeaf: 100, overheadMs: 1, deviationMs: 1 };
      worker.hasRehearsed = true;
    }
    return script.tell({ kind: 'finished', metrics: [1] }).filter((line) => line.includes(' + '));
  }

  it('is the update, if it has answered in the round before', () => {
    expect(afterCancellation([2])).toEqual([
      expect.stringMatching(/^a <- work 1 .* \+ update$/),
      expect.stringMatching(/^b <- work 1 .* \+ update$/),
    ]);
  });

  it('is the whole state, if nobody knows whether it has begun with that of the round before', () => {
    expect(afterCancellation([])).toEqual([
      expect.stringMatching(/^a <- work 1 .* \+ update$/),
      expect.stringMatching(/^b <- work 1 .* \+ weights$/),
    ]);
  });
});
