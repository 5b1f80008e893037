import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { PacedExecutor } from '../../web/worker/paced-executor.js';
import type { Computation, Computed, ComputeEvents, Executor } from '../../worker/executor.js';

const RANGE: Computation = { step: 0, range: { from: 0, to: 1 }, appliesUpdate: false };
const EVENTS = {} as ComputeEvents;

/** Ranges that take so long each, and what was told of them. */
function paced(computeMs: number) {
  const clock = new VirtualClock();
  const told: number[] = [];
  const computed: Computed = { partialSums: [], computeMs };
  let isInterrupted = false;
  const inner = {
    compute: () =>
      new Promise(
        (resolve) => void clock.after(computeMs, () => resolve(isInterrupted ? undefined : computed)),
      ),
  } as Partial<Executor> as Executor;
  const executor = new PacedExecutor(inner, clock, () => told.push(clock.nowMs()));
  /** When a range is answered, and how long its computation is said to have taken. */
  const range = async (): Promise<[atMs: number, saidMs: number | undefined]> => {
    let answer: { computed: Computed | undefined; atMs: number } | undefined;
    void executor.compute(RANGE, EVENTS).then((computed) => {
      answer = { computed, atMs: clock.nowMs() };
    });
    const begunMs = clock.nowMs();
    while (answer === undefined) {
      await Promise.resolve();
      await Promise.resolve();
      if (answer === undefined) clock.advance(1);
    }
    return [answer.atMs - begunMs, answer.computed?.computeMs];
  };
  const interrupt = (): void => {
    isInterrupted = true;
  };
  return { executor, told, range, interrupt };
}

it('computes for the part of the time that is wished, and says that it takes as long', async () => {
  const { executor, told, range } = paced(30);
  expect((await range())[1]).toBe(30);
  for (const [share, allMs] of [
    [0.5, 60],
    [0.1, 300],
    [1, 30],
  ] as const) {
    executor.share = share;
    const [tookMs, saidMs] = await range();
    expect(saidMs).toBe(allMs);
    // Microtasks between the timers may take a tick of this test's clock.
    expect(tookMs).toBeGreaterThanOrEqual(allMs);
    expect(tookMs).toBeLessThan(allMs + 5);
  }
  expect(told).toHaveLength(4);
});

it('does not rest after a range that was interrupted', async () => {
  const { executor, told, range, interrupt } = paced(30);
  executor.share = 0.1;
  interrupt();
  const [tookMs, saidMs] = await range();
  expect(saidMs).toBeUndefined();
  expect(tookMs).toBeLessThan(35);
  expect(told).toEqual([]);
});
