import { assert } from '../../errors.js';
import type { Backend } from '../../kernels/kernels.js';
import { THREAD_BYTES } from '../../kernels/memory-map.js';
import type { LeafRange } from '../../reduction/tree.js';
import type { ComputeMemory } from '../memory.js';
import { abortBarriers, Barrier } from './barrier.js';
import {
  controlBytes,
  controlWords,
  FINISHED,
  INTERRUPT,
  SEQUENCE,
  STEPS_DONE,
  threadWord,
  WORKING,
} from './control-block.js';
import type { Platform, ThreadHost } from './thread-host.js';
import {
  type CommandBufferRef,
  type ExecutionPlan,
  type ExecutionShare,
  postJob,
  type ThreadWork,
} from './thread-job.js';
import type { ThreadReady, ThreadTask } from './thread-loop.js';

/**
 * Reads of the barrier before a thread sleeps: 22 microseconds on Node 20 to 24. A sleep and a wake-up take 5 to 10, so
 * one thread's sleep does not make the next thread sleep as well.
 */
const SPINS = 3000;

export interface ThreadPoolOptions {
  readonly memory: ComputeMemory;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  /** What starts the threads. */
  readonly platform: Pick<Platform, 'cores' | 'startThreads'>;
}

/** Many steps without the event loop; see step-loop.ts. */
export interface Execution extends Omit<ExecutionPlan, 'threads'> {
  /** One for each thread. */
  readonly shares: readonly ExecutionShare[];
}

/** Threads that compute together: a pool, or some consecutive ones of it. Numbers count from the first of them. */
export interface Threads {
  readonly threads: number;
  run(commandBuffers: readonly (CommandBufferRef | undefined)[], first?: number): Promise<void>;
  execute(execution: Execution, signal?: AbortSignal): Promise<number>;
}

/**
 * The compute threads of a process, all on one memory. Each runs ONE long task, in which it receives jobs through shared
 * memory. A ThreadHost starts and ends them.
 *
 * A pool that loses a thread, or whose kernels throw, has ended: current and later jobs reject with the same error, the
 * other threads stop, and what the jobs wrote is undefined. Another pool can be started on the same memory. The little
 * that a pool allocates (THREAD_BYTES a thread) is not freed.
 */
export class ThreadPool implements Threads {
  private readonly words: Int32Array;
  private readonly host: ThreadHost;
  /** For each thread, the end of its latest job, posted or waiting; never rejects. */
  private readonly lastJobs: (Promise<unknown> | undefined)[];
  private readonly rejectors = new Set<(error: Error) => void>();
  private sequence = 0;
  private end: { readonly error: Error; readonly gone: Promise<void> } | undefined;
  private kernels: ThreadReady | undefined;

  private constructor(
    private readonly memory: ComputeMemory,
    readonly threads: number,
    backend: 'auto' | Backend,
    platform: ThreadPoolOptions['platform'],
  ) {
    const control = memory.allocate(controlBytes(threads), 'compute threads');
    const spins = threads > platform.cores ? 0 : SPINS;
    const tasks = Array.from({ length: threads }, (_, thread): ThreadTask => {
      const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
      return { memory: memory.memory, control, thread, threads, spins, backend, stackTop };
    });
    this.words = controlWords(memory.memory, control, threads);
    this.lastJobs = tasks.map(() => undefined);
    this.host = platform.startThreads(tasks, (error) => void this.finish(error));
  }

  /**
   * Starts the threads. Resolves when all have loaded their kernels.
   * @throws UserError when the backend is not available, Error when a thread cannot start
   */
  static async start({ memory, threads, backend, platform }: ThreadPoolOptions): Promise<ThreadPool> {
    assert(Number.isSafeInteger(threads) && threads > 0, `a thread pool cannot have ${threads} threads`);
    const threadPool = new ThreadPool(memory, threads, backend, platform);
    const failure = new Promise<never>((_, reject) => threadPool.rejectors.add(reject));
    try {
      threadPool.kernels = await Promise.race([threadPool.host.ready, failure]);
    } catch (error) {
      await threadPool.stop();
      throw error;
    }
    threadPool.rejectors.clear();
    return threadPool;
  }

  /** The backend of the threads' kernels. */
  get backend(): Backend {
    return this.loaded.backend;
  }

  /** What the backend runs on; see Kernels. */
  get detail(): string {
    return this.loaded.detail;
  }

  /** Finished steps of the latest execution that began with thread 0, whose rows of the log are written. */
  get stepsDone(): number {
    return Atomics.load(this.words, threadWord(0, STEPS_DONE));
  }

  /** Some consecutive threads, which execute steps while others do something else. */
  group({ from, to }: LeafRange): Threads {
    return {
      threads: to - from,
      run: (commandBuffers, first = 0) => this.run(commandBuffers, from + first),
      execute: (execution, signal) => {
        assert(execution.shares.length === to - from, 'an execution needs a share per thread');
        return this.executeFrom(from, execution, signal);
      },
    };
  }

  /**
   * Runs a command buffer on each of some consecutive threads; threads without one stay free. Jobs that share a thread run
   * in the order of the calls, others at the same time.
   *
   * @param commandBuffers for thread `first`, the next one, ...
   * @throws Error naming the thread and the cause when a thread fails or dies, or the pool was stopped
   */
  run(commandBuffers: readonly (CommandBufferRef | undefined)[], first = 0): Promise<void> {
    assert(first >= 0 && first + commandBuffers.length <= this.threads, 'more command buffers than threads');
    const work = new Map<number, ThreadWork>();
    commandBuffers.forEach((commandBuffer, i) => {
      if (commandBuffer !== undefined) work.set(first + i, { kind: 'run', commandBuffer });
    });
    return this.inTurn(work, () => this.perform(work));
  }

  /**
   * Executes many steps on all threads; see step-loop.ts.
   *
   * @param signal ends the execution early, after the current step
   * @returns how many steps were done
   * @throws Error as `run` does
   */
  async execute(execution: Execution, signal?: AbortSignal): Promise<number> {
    assert(execution.shares.length === this.threads, 'an execution needs a share per thread');
    return this.executeFrom(0, execution, signal);
  }

  /** Executes on as many threads as there are shares. @param lead the first of them */
  private async executeFrom(
    lead: number,
    { shares, ...common }: Execution,
    signal?: AbortSignal,
  ): Promise<number> {
    assert(common.steps > 0, 'an execution needs a step');
    const plan = { ...common, threads: shares.length };
    const work = new Map(
      shares.map((share, thread) => [lead + thread, { kind: 'execute', share, plan }] as const),
    );
    const interrupt = (): void => void Atomics.store(this.words, threadWord(lead, INTERRUPT), 1);
    return await this.inTurn(work, async () => {
      if (signal?.aborted) return 0;
      Barrier.prepare(this.words, lead, shares.length);
      Atomics.store(this.words, threadWord(lead, INTERRUPT), 0);
      Atomics.store(this.words, threadWord(lead, STEPS_DONE), 0);
      signal?.addEventListener('abort', interrupt);
      try {
        await this.perform(work);
      } finally {
        signal?.removeEventListener('abort', interrupt);
      }
      return Atomics.load(this.words, threadWord(lead, STEPS_DONE));
    });
  }

  /** Ends all threads; current jobs reject. Resolves when the threads are gone. May be called more than once. */
  stop(): Promise<void> {
    return this.finish(new Error('the compute threads were stopped'));
  }

  /** Calls `act` when the threads of a job are free, in the order of the calls. */
  private inTurn<T>(work: ReadonlyMap<number, ThreadWork>, act: () => Promise<T>): Promise<T> {
    const threads = [...work.keys()];
    const before = threads.flatMap((thread) => this.lastJobs[thread] ?? []);
    const result = before.length === 0 ? act() : Promise.all(before).then(act);
    const settled: Promise<void> = result.then(ignore, ignore).then(() => {
      for (const thread of threads) if (this.lastJobs[thread] === settled) this.lastJobs[thread] = undefined;
    });
    for (const thread of threads) this.lastJobs[thread] = settled;
    return result;
  }

  /** Posts work to threads that are free. Resolves when all have done theirs. */
  private perform(work: ReadonlyMap<number, ThreadWork>): Promise<void> {
    const [lead] = work.keys();
    if (lead === undefined) return Promise.resolve();
    if (this.end) return Promise.reject(this.end.error);
    const finishedAt = threadWord(lead, FINISHED);
    const before = Atomics.load(this.words, finishedAt);
    Atomics.store(this.words, threadWord(lead, WORKING), work.size);
    this.sequence = (this.sequence + 1) | 0;
    const { pages } = this.memory;
    for (const [thread, part] of work) postJob(this.words, thread, this.sequence, { lead, pages, ...part });
    this.host.posted?.();
    return new Promise((resolve, reject) => {
      this.rejectors.add(reject);
      void this.changed(finishedAt, before).then(() => {
        this.rejectors.delete(reject);
        resolve();
      });
    });
  }

  /**
   * Resolves when a word has changed. A wake-up alone proves nothing: a thread that finishes a job writes the word and then
   * wakes the waiters. If the thread is delayed in between, the wake-up may reach the waiter of the next job.
   */
  private async changed(at: number, before: number): Promise<void> {
    while (Atomics.load(this.words, at) === before) {
      const wake = Atomics.waitAsync(this.words, at, before);
      if (wake.async) await wake.value;
    }
  }

  /** Ends the pool, once. All jobs reject with the first cause. */
  private finish(error: Error): Promise<void> {
    if (!this.end) {
      abortBarriers(this.words, this.threads);
      for (const reject of this.rejectors) reject(error);
      for (let thread = 0; thread < this.threads; thread++) {
        // Threads that wait for a job, and promises that wait for its end.
        for (const word of [SEQUENCE, FINISHED]) {
          Atomics.add(this.words, threadWord(thread, word), 1);
          Atomics.notify(this.words, threadWord(thread, word));
        }
      }
      this.end = { error, gone: this.host.stop() };
    }
    return this.end.gone;
  }

  private get loaded(): ThreadReady {
    assert(this.kernels !== undefined, 'the thread pool has not started');
    return this.kernels;
  }
}

function ignore(): void {}
