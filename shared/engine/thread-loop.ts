import { assert, UserError } from '../errors.js';
import type { Backend, Kernels, LoadOptions } from '../kernels/kernels.js';
import { Barrier } from './barrier.js';
import { ABORT, controlWords, FINISHED, SEQUENCE, threadWord, WORKING } from './control-block.js';
import { type Job, readJob } from './job.js';
import { runStride } from './stride.js';

/** What a thread is started with: the argument of its one Piscina task. */
export interface ThreadTask {
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the team's control block. */
  readonly control: number;
  readonly thread: number;
  readonly threads: number;
  /** See Barrier. */
  readonly spins: number;
  readonly backend: 'auto' | Backend;
  /** See LoadOptions. */
  readonly stackTop: number;
}

/** What a thread says when it has loaded its kernels. */
export interface ThreadReady {
  readonly thread: number;
  readonly backend: Backend;
  readonly detail: string;
}

/** How a thread's task ended: told to, or by an error. Errors lose their class on the way between threads. */
export type ThreadEnd =
  | { readonly why: 'told' }
  | { readonly why: 'error'; readonly message: string; readonly isUserError: boolean };

type LoadKernels = (options: LoadOptions & { backend: 'auto' | Backend }) => Promise<Kernels>;

/** Checks for growth before it is a bug; one suffices unless the engine is slow to tell. */
const GROWTH_LOOKS_MAX = 100_000_000;

/**
 * The life of a compute thread: loads the kernels, then blocks the thread and does one job after another, until the
 * team ends. Never rejects.
 */
export async function serve(
  task: ThreadTask,
  load: LoadKernels,
  tell: (ready: ThreadReady) => void,
): Promise<ThreadEnd> {
  try {
    const kernels = await load(task);
    tell({ thread: task.thread, backend: kernels.backend, detail: kernels.detail });
    work(task, kernels);
    return { why: 'told' };
  } catch (error) {
    if (error instanceof UserError) return { why: 'error', message: error.message, isUserError: true };
    return { why: 'error', message: String(error), isUserError: false };
  }
}

function work({ memory, control, thread, threads, spins }: ThreadTask, kernels: Kernels): void {
  const words = controlWords(memory, control, threads);
  const barrier = new Barrier(words, threads, spins);
  const sequenceAt = threadWord(thread, SEQUENCE);
  let sequence = 0;
  for (;;) {
    // No spinning here: measured, the main thread's way back through its event loop is longer than a wake-up.
    Atomics.wait(words, sequenceAt, sequence);
    if (Atomics.load(words, ABORT) !== 0) return;
    const latest = Atomics.load(words, sequenceAt);
    if (latest === sequence) continue;
    sequence = latest;
    const job = readJob(words, thread);
    if (!perform(job, { memory, words, barrier, kernels })) return;
    // Whoever finishes last says so for all.
    if (Atomics.sub(words, threadWord(job.lead, WORKING), 1) === 1) {
      Atomics.store(words, threadWord(job.lead, FINISHED), sequence);
      Atomics.notify(words, threadWord(job.lead, FINISHED));
    }
  }
}

/** Returns false when the team was aborted meanwhile. */
function perform(
  job: Job,
  own: { memory: WebAssembly.Memory; words: Int32Array; barrier: Barrier; kernels: Kernels },
): boolean {
  awaitGrowth(own.memory, job.pages);
  if (job.kind === 'run') {
    own.kernels.run(job.tape.offset, job.tape.words);
    return true;
  }
  return runStride(job, { ...own, cells: new Int32Array(own.memory.buffer) });
}

/**
 * The engine tells a thread of a growth by an interrupt, which it sees in the next turn of a loop: until then
 * `memory.buffer` is the old, shorter one.
 */
function awaitGrowth(memory: WebAssembly.Memory, pages: number): void {
  for (let looks = 0; memory.buffer.byteLength < pages * 65536; looks++) {
    assert(looks < GROWTH_LOOKS_MAX, `this thread sees ${memory.buffer.byteLength} bytes of ${pages} pages`);
  }
}
