import type { Kernels } from '../../kernels/kernels.js';
import type { Barrier } from './barrier.js';
import { ENDED, INTERRUPT, STEPS_DONE, threadWord } from './control-block.js';
import { CURSOR_WORDS } from './step-table.js';
import type { CommandBufferRef, ExecutionPlan, ExecutionShare } from './thread-job.js';

/** The bits of a float's exponent. */
const EXPONENT = 0x7f800000;

/** What one thread executes steps with. */
interface StepTools {
  /** The whole memory as Int32. */
  readonly cells: Int32Array;
  /** The pool's control block. */
  readonly words: Int32Array;
  readonly barrier: Barrier;
  readonly kernels: Pick<Kernels, 'run'>;
}

/**
 * One thread's part of an execution: many steps without the event loop. Each step has three phases, and a barrier after
 * each:
 *
 * 1. Every thread computes the forward and the backward pass of its samples.
 * 2. Every thread adds its slice. The thread that arrives last checks whether the sums are finite. If they are not, the
 *    execution ends here, and the weights have not changed.
 * 3. Every thread updates its slice. The thread that arrives last logs the metric sums and decides whether to go on.
 *
 * @param lead the first of the execution's threads
 * @returns false when the pool was aborted
 */
export function runExecution(
  { lead, share, plan }: { lead: number; share: ExecutionShare; plan: ExecutionPlan },
  { cells, words, barrier, kernels }: StepTools,
): boolean {
  const run = (commandBuffer: CommandBufferRef): void => {
    if (commandBuffer.words > 0) kernels.run(commandBuffer.offset, commandBuffer.words);
  };
  const [ended, interrupted, stepsDone] = [ENDED, INTERRUPT, STEPS_DONE].map((word) =>
    threadWord(lead, word),
  ) as [number, number, number];
  let step = 0;
  const checkSums = (): void => void Atomics.store(words, ended, areFinite(cells, plan.guard) ? 0 : 1);
  const closeStep = (): void => {
    logMetrics(cells, plan, step);
    Atomics.store(words, stepsDone, step + 1);
    const isLast = step + 1 === plan.steps || Atomics.load(words, interrupted) !== 0;
    Atomics.store(words, ended, isLast ? 1 : 0);
  };
  for (; ; step++) {
    loadRow(cells, share, plan, step);
    run(share.compute);
    if (!barrier.meet()) return false;
    run(share.finish);
    if (!barrier.meet(checkSums)) return false;
    if (Atomics.load(words, ended) !== 0) return true;
    run(share.update);
    if (!barrier.meet(closeStep)) return false;
    // Written before the barrier opened and not again before the next one: all threads read the same.
    if (Atomics.load(words, ended) !== 0) return true;
  }
}

/** Copies a row of the step table into the thread's own cells, where its command buffers read it. */
function loadRow(cells: Int32Array, share: ExecutionShare, plan: ExecutionPlan, step: number): void {
  const { offset, scalarCount } = plan.table;
  const row = offset / 4 + step * (CURSOR_WORDS + scalarCount);
  copy(cells, row, share.cursor / 4, CURSOR_WORDS);
  copy(cells, row + CURSOR_WORDS, share.scalars / 4, scalarCount);
}

function logMetrics(cells: Int32Array, { metrics }: ExecutionPlan, step: number): void {
  copy(cells, metrics.offset / 4, metrics.log / 4 + step * metrics.floats, metrics.floats);
}

/** Whether all floats of a range are finite: none has an exponent of ones. */
export function areFinite(cells: Int32Array, { offset, floats }: ExecutionPlan['guard']): boolean {
  for (let i = offset / 4; i < offset / 4 + floats; i++)
    if (((cells[i] as number) & EXPONENT) === EXPONENT) return false;
  return true;
}

/** Copies a few words; a loop is faster than copyWithin. Integers are copied, so a NaN keeps its bits. */
function copy(cells: Int32Array, from: number, to: number, count: number): void {
  for (let i = 0; i < count; i++) cells[to + i] = cells[from + i] as number;
}
