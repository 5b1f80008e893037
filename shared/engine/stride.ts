import type { Kernels } from '../kernels/kernels.js';
import type { Barrier } from './barrier.js';
import { ENDED, INTERRUPT, STEPS_DONE } from './control-block.js';
import type { StrideCourse, StrideShare, TapeRef } from './job.js';
import { PLACE_WORDS } from './step-table.js';

/** The bits of a float's exponent. */
const EXPONENT = 0x7f800000;

/** What a thread works with. */
interface Tools {
  /** The whole memory as Int32. */
  readonly cells: Int32Array;
  /** The team's control block. */
  readonly words: Int32Array;
  readonly barrier: Barrier;
  readonly kernels: Pick<Kernels, 'run'>;
}

/**
 * One thread's part of a stride: whole steps without the event loop. Every thread computes; when all have, every
 * thread adds up its slice; when all have, whoever came last looks whether the sums are finite, and if not the stride ends
 * here, with the weights as they were. Then every thread updates its slice; when all have, whoever came last logs the
 * metric sums and decides for all whether the stride goes on.
 *
 * @returns false when the team was aborted
 */
export function runStride(
  { share, course }: { share: StrideShare; course: StrideCourse },
  { cells, words, barrier, kernels }: Tools,
): boolean {
  const run = (tape: TapeRef): void => {
    if (tape.words > 0) kernels.run(tape.offset, tape.words);
  };
  let step = 0;
  const judge = (): void => void Atomics.store(words, ENDED, areFinite(cells, course.guard) ? 0 : 1);
  const closeStep = (): void => {
    logMetrics(cells, course, step);
    Atomics.store(words, STEPS_DONE, step + 1);
    const isLast = step + 1 === course.steps || Atomics.load(words, INTERRUPT) !== 0;
    Atomics.store(words, ENDED, isLast ? 1 : 0);
  };
  for (; ; step++) {
    placeStep(cells, share, course, step);
    run(share.compute);
    if (!barrier.meet()) return false;
    run(share.finish);
    if (!barrier.meet(judge)) return false;
    if (Atomics.load(words, ENDED) !== 0) return true;
    run(share.update);
    if (!barrier.meet(closeStep)) return false;
    // Written before this meeting ended and not again before the next: all threads read the same.
    if (Atomics.load(words, ENDED) !== 0) return true;
  }
}

/** Copies a row of the table into the thread's own cells, where its tapes look for it. */
function placeStep(cells: Int32Array, share: StrideShare, course: StrideCourse, step: number): void {
  const { offset, scalarCount } = course.table;
  const row = offset / 4 + step * (PLACE_WORDS + scalarCount);
  copy(cells, row, share.cursor / 4, PLACE_WORDS);
  copy(cells, row + PLACE_WORDS, share.scalars / 4, scalarCount);
}

function logMetrics(cells: Int32Array, { metrics }: StrideCourse, step: number): void {
  copy(cells, metrics.offset / 4, metrics.log / 4 + step * metrics.floats, metrics.floats);
}

/** Whether all floats of a stretch are finite: none has an exponent of ones. */
export function areFinite(cells: Int32Array, { offset, floats }: StrideCourse['guard']): boolean {
  for (let i = offset / 4; i < offset / 4 + floats; i++)
    if (((cells[i] as number) & EXPONENT) === EXPONENT) return false;
  return true;
}

/** A few words: a loop is faster than copyWithin. Bits are copied, so a NaN stays the NaN that it is. */
function copy(cells: Int32Array, from: number, to: number, count: number): void {
  for (let i = 0; i < count; i++) cells[to + i] = cells[from + i] as number;
}
