/*
 * The words in shared memory through which the main thread and the compute threads of a pool communicate. All of them are
 * Int32. They are read and written with Atomics, except the fields of a job, which its sequence number publishes.
 *
 * Words that different threads write are 128 bytes apart: two cache lines, since processors fetch lines in pairs.
 */
const LINE_WORDS = 32;

/** Not 0: the pool has been aborted, and every thread leaves its loop. Written by the main thread. */
export const ABORT = 0;

const THREADS = LINE_WORDS;
const THREAD_WORDS = 8 * LINE_WORDS;

/** Job: number of this thread's latest job. The fields of the job follow it (thread-job.ts). */
export const SEQUENCE = 0;
/** Completion of a job whose first thread is this one: threads that have not finished it. */
export const WORKING = LINE_WORDS;
/** Completion of a job whose first thread is this one: number of the latest job that all threads have finished. */
export const FINISHED = 2 * LINE_WORDS;

/*
 * Words of an execution, in those of its first thread: several may run at a time, each on some consecutive threads.
 */

/** Barrier: threads that have not arrived yet. */
export const MISSING = 3 * LINE_WORDS;
/** Barrier: changes when all have arrived. */
export const PHASE = 4 * LINE_WORDS;
/** Barrier: threads that sleep, or are about to. */
export const SLEEPERS = 5 * LINE_WORDS;

/** Not 0 requests an end after the current step. Written by the main thread. */
export const INTERRUPT = 6 * LINE_WORDS;
/** Not 0 when the step just finished was the last. Written while all threads wait in the barrier. */
export const ENDED = 7 * LINE_WORDS;
/** Finished steps, whose metric sums are in the log. */
export const STEPS_DONE = ENDED + 1;

/** Bytes of the block for so many threads. */
export function controlBytes(threads: number): number {
  return (THREADS + threads * THREAD_WORDS) * 4;
}

/** The block as words. The view stays valid, since shared memory never moves. */
export function controlWords(memory: WebAssembly.Memory, offset: number, threads: number): Int32Array {
  return new Int32Array(memory.buffer, offset, controlBytes(threads) / 4);
}

/** Index of one of a thread's words, such as SEQUENCE. */
export function threadWord(thread: number, word: number): number {
  return THREADS + thread * THREAD_WORDS + word;
}
