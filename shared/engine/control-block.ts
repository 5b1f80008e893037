/*
 * The words in shared memory through which the main thread and the compute threads of a team talk. All of them are
 * Int32 and are read and written with Atomics, except a job's fields, which its sequence number publishes.
 *
 * Words that different threads write lie 128 bytes apart: two cache lines, since processors fetch lines in pairs.
 */
const LINE_WORDS = 32;

/** Not 0: the team is at its end; every thread leaves its loop. Written by the main thread. */
export const ABORT = 0;

/** Barrier: threads yet to arrive. */
export const MISSING = LINE_WORDS;
/** Barrier: changes when all have arrived. */
export const PHASE = 2 * LINE_WORDS;
/** Barrier: threads that sleep, or are about to. */
export const SLEEPERS = 3 * LINE_WORDS;

/** Stride: not 0 asks for an end after the step under way. Written by the main thread. */
export const INTERRUPT = 4 * LINE_WORDS;
/** Stride: not 0 when the step just finished was the last. Written while all threads wait in the barrier. */
export const ENDED = 5 * LINE_WORDS;
/** Stride: finished steps; the metric sums of so many are in the log. */
export const STEPS_DONE = ENDED + 1;

const THREADS = 6 * LINE_WORDS;
const THREAD_WORDS = 3 * LINE_WORDS;

/** Job: number of the latest job of this thread; the fields of the job follow it (job.ts). */
export const SEQUENCE = 0;
/** Completion of a job whose first thread is this one: threads that still work on it. */
export const WORKING = LINE_WORDS;
/** Completion of a job whose first thread is this one: number of the latest job that all threads have finished. */
export const FINISHED = 2 * LINE_WORDS;

/** Bytes of the block for so many threads. */
export function controlBytes(threads: number): number {
  return (THREADS + threads * THREAD_WORDS) * 4;
}

/** The block as words. Holds for good, since shared memory never moves. */
export function controlWords(memory: WebAssembly.Memory, offset: number, threads: number): Int32Array {
  return new Int32Array(memory.buffer, offset, controlBytes(threads) / 4);
}

/** Index of one of a thread's words: SEQUENCE, WORKING or FINISHED. */
export function threadWord(thread: number, word: number): number {
  return THREADS + thread * THREAD_WORDS + word;
}
