import { assert, UserError } from '../../errors.js';
import type { Backend, Kernels, LoadOptions } from '../../kernels/kernels.js';
import { Barrier } from './barrier.js';
import { ABORT, controlWords, FINISHED, SEQUENCE, threadWord, WORKING } from './control-block.js';
import { runExecution } from './step-loop.js';
import { readJob, type ThreadJob } from './thread-job.js';

/** What a thread is started with. */
export interface ThreadTask {
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the pool's control block. */
  readonly control: number;
  readonly thread: number;
  readonly threads: number;
  /** See Barrier. */
  readonly spins: number;
  readonly backend: 'auto' | Backend;
  /** See LoadOptions. */
  readonly stackTop: number;
}

/** What a thread reports when it has loaded its kernels. */
export interface ThreadReady {
  readonly thread: number;
  readonly backend: Backend;
  readonly detail: string;
}

/** How a thread's task ended. An error loses its class on the way between threads, so `isUserError` keeps it. */
export type ThreadEnd =
  | { readonly reason: 'stopped' }
  | { readonly reason: 'error'; readonly message: string; readonly isUserError: boolean };

/** How people are told which thread failed. */
export function threadName({ thread, threads }: Pick<ThreadTask, 'thread' | 'threads'>): string {
  return `compute thread ${thread + 1} of ${threads}`;
}

/** Why a thread's task ended; undefined when it was stopped. */
export function threadFailure(task: ThreadTask, end: ThreadEnd): Error | undefined {
  if (end.reason === 'stopped') return undefined;
  const { isUserError, message } = end;
  return isUserError ? new UserError(message) : new Error(`${threadName(task)} failed: ${message}`);
}

type LoadKernels = (options: LoadOptions & { backend: 'auto' | Backend }) => Promise<Kernels>;

/** Most checks for a growth of memory. One is enough unless the engine is slow to report it; more mean a bug. */
const GROWTH_CHECKS_MAX = 100_000_000;

/**
 * Runs a compute thread: loads the kernels, then blocks the thread and does one job after another until the pool stops.
 * Never rejects.
 */
export async function runThread(
  task: ThreadTask,
  load: LoadKernels,
  report: (ready: ThreadReady) => void,
): Promise<ThreadEnd> {
  try {
    const kernels = await load(task);
    report({ thread: task.thread, backend: kernels.backend, detail: kernels.detail });
    const jobs = new ThreadJobs(task, kernels);
    do jobs.wait();
    while (jobs.next());
    return { reason: 'stopped' };
  } catch (error) {
    return threadError(error);
  }
}

/** The end of a thread's task that threw. */
export function threadError(error: unknown): ThreadEnd {
  if (error instanceof UserError) return { reason: 'error', message: error.message, isUserError: true };
  return { reason: 'error', message: String(error), isUserError: false };
}

/** The jobs of one thread, as they are posted to shared memory. */
export class ThreadJobs {
  private readonly words: Int32Array;
  private readonly barrier: Barrier;
  private readonly sequenceAt: number;
  private sequence = 0;

  constructor(
    private readonly task: ThreadTask,
    private readonly kernels: Kernels,
  ) {
    const { memory, control, thread, threads, spins } = task;
    this.words = controlWords(memory, control, threads);
    this.barrier = new Barrier(this.words, spins);
    this.sequenceAt = threadWord(thread, SEQUENCE);
  }

  /** Blocks the thread until there may be a job, or the pool was aborted. */
  wait(): void {
    // No spinning here: the main thread's way back through its event loop takes longer than a wake-up (measured).
    Atomics.wait(this.words, this.sequenceAt, this.sequence);
  }

  /** Does the latest job, if there is a new one. Returns false when the pool was aborted. */
  next(): boolean {
    const { words, barrier, kernels } = this;
    const { memory, thread } = this.task;
    if (Atomics.load(words, ABORT) !== 0) return false;
    const latest = Atomics.load(words, this.sequenceAt);
    if (latest === this.sequence) return true;
    this.sequence = latest;
    const job = readJob(words, thread);
    if (!perform(job, { memory, words, barrier, kernels })) return false;
    // The thread that finishes last reports for all.
    if (Atomics.sub(words, threadWord(job.lead, WORKING), 1) === 1) {
      Atomics.store(words, threadWord(job.lead, FINISHED), latest);
      Atomics.notify(words, threadWord(job.lead, FINISHED));
    }
    return true;
  }
}

/** Does a job. Returns false when the pool was aborted meanwhile. */
function perform(
  job: ThreadJob,
  own: { memory: WebAssembly.Memory; words: Int32Array; barrier: Barrier; kernels: Kernels },
): boolean {
  awaitGrowth(own.memory, job.pages);
  if (job.kind === 'run') {
    own.kernels.run(job.commandBuffer.offset, job.commandBuffer.words);
    return true;
  }
  own.barrier.enter(job.lead, job.plan.threads);
  return runExecution(job, { ...own, cells: new Int32Array(own.memory.buffer) });
}

/**
 * Waits until this thread sees the memory's growth. The JavaScript engine reports a growth by an interrupt, which a thread
 * handles in the next turn of a loop; until then `memory.buffer` has the old length.
 */
function awaitGrowth(memory: WebAssembly.Memory, pages: number): void {
  for (let checks = 0; memory.buffer.byteLength < pages * 65536; checks++) {
    assert(
      checks < GROWTH_CHECKS_MAX,
      `this thread sees ${memory.buffer.byteLength} bytes of ${pages} pages`,
    );
  }
}
