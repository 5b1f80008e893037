import { vi } from 'vitest';
import type { RunMemory } from '../../shared/engine/run-memory.js';
import { StepExecutor } from '../../shared/engine/step/step-executor.js';

/** A bit of memory that flips once. */
export interface MemoryFault {
  /** The step, counted from 1. */
  readonly step: number;
  readonly leaf: number;
  /** Element of the leaf's sum. */
  readonly element: number;
  readonly bit: number;
}

/**
 * Flips a bit in the sum of one leaf in runs that this process trains, between the backward pass and the additions. Everything
 * else is computed by the executor itself.
 * @returns a function that repairs the memory
 */
export function withFaultyMemory({ step: at, leaf, element, bit }: MemoryFault): () => void {
  const execute = StepExecutor.prototype.execute;
  const spy = vi.spyOn(StepExecutor.prototype, 'execute').mockImplementation(async function (
    this: StepExecutor,
    step,
    shares,
    scalars,
  ) {
    const before = at - 1 - step;
    if (before < 0 || before >= scalars.length) return execute.call(this, step, shares, scalars);
    if (before > 0) return execute.call(this, step, shares, scalars.slice(0, before));
    const [share] = shares;
    if (share === undefined || shares.length !== 1) throw new Error('one worker trains the run');
    const { threads, leaves } = share;
    const ranges = [
      { from: leaves.from, to: leaf },
      { from: leaf, to: leaf + 1 },
      { from: leaf + 1, to: leaves.to },
    ];
    const sums = [];
    for (const range of ranges)
      if (range.from < range.to) sums.push(...(await this.compute(step, { threads, leaves: range })));
    const own = sums.find(({ node }) => node.level === 0 && node.index === leaf);
    if (own === undefined) throw new Error('the leaf has a sum of its own');
    const { memory } = (this as unknown as { readonly runMemory: RunMemory }).runMemory;
    const word = memory.u32(own.buffer + 4 * element, 1);
    word[0] = ((word[0] as number) ^ (1 << bit)) >>> 0;
    const { metrics, isBroken } = await this.finish(step, sums, scalars[0] as readonly number[]);
    return { metrics: [metrics], isBroken };
  });
  return () => spy.mockRestore();
}
