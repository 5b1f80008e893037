import { describe, expect, it } from 'vitest';
import { firstUnverifiedStep } from '../../../coordinator/auditing/rollback.js';
import { PartialSumBuffers } from '../../../coordinator/compute/partial-sum-buffers.js';
import { CoordinatorEffectRunner, type CoordinatorTools } from '../../../coordinator/effects.js';
import { isOwed } from '../../../coordinator/scheduling/answers.js';
import { VirtualClock } from '../../../shared/actor/virtual-clock.js';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import { linkInProcess } from '../../../shared/link/in-process.js';
import { cutVector } from '../../../shared/reduction/segments.js';
import { type LeafRange, maximalSubtrees } from '../../../shared/reduction/tree.js';
import { FIRST, Script, SECOND, twoAtWork } from '../script.js';

/* What a member that knows the token can make the coordinator store. */

const partialSums = (step: number, range: LeafRange, nodes = maximalSubtrees(range, 8)) =>
  ({ kind: 'partial-sums', step, range, nodes, computeMicros: 1 }) as const;

describe('buffers for partial sums', () => {
  it('are taken only for what a member owes, and once', () => {
    const script = twoAtWork();
    const owed = (id: string, ...what: Parameters<typeof partialSums>): boolean =>
      isOwed(script.state.scheduling, id, partialSums(...what));
    expect(owed('a', 0, FIRST)).toBe(true);
    expect(owed('a', 0, SECOND)).toBe(false);
    expect(owed('a', 1, FIRST)).toBe(false);
    expect(owed('a', 0, FIRST, new Array(48).fill({ level: 2, index: 0 }))).toBe(false);
    expect(owed('nobody', 0, FIRST)).toBe(false);
    script.answers('a', 0, FIRST);
    expect(owed('a', 0, FIRST)).toBe(false);
    script.answers('b', 0, SECOND);
    expect(owed('b', 0, SECOND)).toBe(false);
  });

  it('are not taken before it is known that the sums can count, and running out of memory does not end the run', async () => {
    const memory = new ComputeMemory();
    let isOwedNow = false;
    const tools = {
      buffers: new PartialSumBuffers(memory, cutVector(4096)),
      isOwed: () => isOwedNow,
      clock: new VirtualClock(),
    };
    const runner = new CoordinatorEffectRunner(tools as unknown as CoordinatorTools);
    const [worker, link] = linkInProcess(['worker', 'coordinator']);
    const told: object[] = [];
    let arrived = (): void => {};
    const self = {
      tell: (message: object) => {
        told.push(message);
        arrived();
      },
      stop: () => {},
    };
    runner.accept(self, link);
    const says = async (): Promise<object | undefined> => {
      const answer = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      worker.send(partialSums(0, FIRST), new Uint8Array(4096));
      await answer;
      return told.at(-1);
    };
    const { end } = memory.mark();
    expect(await says()).toMatchObject({ kind: 'received', buffers: [] });
    expect(memory.mark().end).toBe(end);
    isOwedNow = true;
    const { buffers } = (await says()) as { buffers: number[] };
    expect(buffers).toHaveLength(1);
    memory.limit(memory.mark().end);
    expect(await says()).toMatchObject({ kind: 'garbled', reason: /partial sums need/ });
  });
});

describe('chunks of the data', () => {
  it.each([
    [true, 190],
    [false, 0],
  ])('take a twentieth of the time while steps are computed (%s)', (besideSteps, pauseMs) => {
    const clock = new VirtualClock();
    // To send one takes 10 ms.
    const chunk = (): Uint8Array => {
      clock.advance(10);
      return new Uint8Array(1);
    };
    const tools = { clock, dataset: { chunk } };
    const runner = new CoordinatorEffectRunner(tools as unknown as CoordinatorTools);
    let told: string[] = [];
    const self = { tell: ({ kind }: { kind: string }) => void told.push(kind), stop: () => {} };
    runner.accept(self, linkInProcess(['worker', 'coordinator'])[1]);
    told = [];
    runner.perform({ kind: 'send-chunk', id: 'remote-1', index: 0, besideSteps, deflates: false }, self);
    if (pauseMs > 0) clock.advance(pauseMs - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['data-due']);
  });
});

describe('names', () => {
  it('of a thousand members that have left are kept for the report, those with the most samples first', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.leaves('a');
    for (let i = 0; i < 1500; i++) {
      script.joins(`visitor ${i}`);
      script.leaves(`visitor ${i}`);
    }
    const { departed } = script.state.membership;
    expect(departed).toHaveLength(1000);
    expect(departed.filter(({ samples }) => samples > 0).map(({ name }) => name)).toEqual(['a']);
    expect(departed.at(-1)?.name).toBe('visitor 1499');
  });

  it('of members with unverified sums are bounded: for all others one common first step is remembered', () => {
    const script = new Script({ steps: 1e6 });
    let [step, names] = [0, 0];
    for (; names < 5000; names++) {
      script.joins(`n${names}`);
      script.answers(`n${names}`, step, { from: 0, to: step % 3 === 2 ? 5 : 8 }, step % 3 === 2 ? 5 : 8);
      script.tell({ kind: 'finished', metrics: [1] });
      if (step % 3 === 2) script.tell({ kind: 'evaluated', means: { loss: 1 } });
      step = script.state.training.step;
      script.leaves(`n${names}`);
    }
    expect(step).toBe(5000);
    expect(script.state.auditing.unverifiedSince.size).toBe(4097);
    expect(firstUnverifiedStep(script.state.auditing, 'n7/n7')).toBe(7);
    expect(firstUnverifiedStep(script.state.auditing, 'n4900/n4900')).toBe(4096);
  });
});
