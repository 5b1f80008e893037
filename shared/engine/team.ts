import { availableParallelism } from 'node:os';
import { assert } from '../errors.js';
import type { Backend } from '../kernels/kernels.js';
import { THREAD_BYTES } from '../kernels/memory-map.js';
import { abortBarrier, Barrier } from './barrier.js';
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
import { Host } from './host.js';
import { postJob, type StrideCourse, type StrideShare, type TapeRef, type ThreadWork } from './job.js';
import type { ComputeMemory } from './memory.js';
import { threadEntry } from './thread-entry.js';
import type { ThreadReady, ThreadTask } from './thread-loop.js';

export type { TapeRef } from './job.js';

/**
 * Looks at the barrier before a thread sleeps: 22 microseconds on Node 20 to 24. To sleep and be woken takes 5 to 10, so
 * one thread's sleep does not send the next one to sleep as well.
 */
const SPINS = 3000;

export interface TeamOptions {
  readonly memory: ComputeMemory;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  /** Path of a file that exports what thread.ts does. */
  readonly entry?: string;
}

/** Whole steps without the event loop: see stride.ts. */
export interface Stride extends StrideCourse {
  /** One for each thread of the team. */
  readonly shares: readonly StrideShare[];
}

/**
 * The compute threads of a process, all on one memory. Each runs ONE long task, in which jobs reach it through shared
 * memory; see Host for what keeps the threads.
 *
 * A team that loses a thread, or whose kernels throw, is at its end: jobs under way and all that come reject with the
 * same error, the other threads are let go, and what the jobs wrote is undefined. Another team can be started on the
 * same memory; the little that a team allocates (THREAD_BYTES a thread) is not given back.
 */
export class Team {
  private readonly words: Int32Array;
  private readonly host: Host;
  /** For each thread, the end of the last job that it has been given or is to be given; never rejects. */
  private readonly lastJobs: (Promise<unknown> | undefined)[];
  private readonly rejectors = new Set<(error: Error) => void>();
  private sequence = 0;
  private end: { readonly error: Error; readonly gone: Promise<void> } | undefined;
  private kernels: ThreadReady | undefined;

  private constructor(
    private readonly memory: ComputeMemory,
    readonly threads: number,
    backend: 'auto' | Backend,
    entry: string,
  ) {
    const control = memory.allocate(controlBytes(threads), 'compute threads');
    const spins = threads > availableParallelism() ? 0 : SPINS;
    const tasks = Array.from({ length: threads }, (_, thread): ThreadTask => {
      const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
      return { memory: memory.memory, control, thread, threads, spins, backend, stackTop };
    });
    this.words = controlWords(memory.memory, control, threads);
    this.lastJobs = tasks.map(() => undefined);
    Barrier.prepare(this.words, threads);
    this.host = new Host(tasks, entry, (error) => void this.finish(error));
  }

  /**
   * Starts the threads; resolves when all have loaded their kernels.
   * @throws UserError when the backend is not there, Error when a thread cannot start
   */
  static async start({ memory, threads, backend, entry = threadEntry() }: TeamOptions): Promise<Team> {
    assert(Number.isSafeInteger(threads) && threads > 0, `a team cannot have ${threads} threads`);
    const team = new Team(memory, threads, backend, entry);
    const failure = new Promise<never>((_, reject) => team.rejectors.add(reject));
    try {
      team.kernels = await Promise.race([team.host.ready, failure]);
    } catch (error) {
      await team.stop();
      throw error;
    }
    team.rejectors.clear();
    return team;
  }

  /** The backend that the threads use. */
  get backend(): Backend {
    return this.loaded.backend;
  }

  /** What the backend runs on; see Kernels. */
  get detail(): string {
    return this.loaded.detail;
  }

  /** Finished steps of the latest stride: so many rows of its log are written. */
  get stepsDone(): number {
    return Atomics.load(this.words, STEPS_DONE);
  }

  /**
   * Runs a tape on each of some consecutive threads; threads without one stay free. Jobs that share a thread run in the
   * order of the calls, others at the same time.
   *
   * @param tapes for thread `first`, the next one, ...
   * @throws Error naming thread and cause when a thread fails or dies, or the team was stopped
   */
  run(tapes: readonly (TapeRef | undefined)[], first = 0): Promise<void> {
    assert(first >= 0 && first + tapes.length <= this.threads, 'more tapes than threads');
    const work = new Map<number, ThreadWork>();
    tapes.forEach((tape, i) => {
      if (tape !== undefined) work.set(first + i, { kind: 'run', tape });
    });
    return this.inTurn(work, () => this.perform(work));
  }

  /**
   * Runs whole steps on all threads. For each, every thread takes its row of the table into its cells and runs its
   * compute tape; when all have, every thread runs its finish tape; when all have, the metric sums go to the log.
   *
   * @param signal ends the stride early, after the step under way
   * @returns how many steps have been done
   * @throws Error as `run` does
   */
  async stride({ shares, ...course }: Stride, signal?: AbortSignal): Promise<number> {
    assert(
      shares.length === this.threads && course.steps > 0,
      'a stride needs a step, and a share per thread',
    );
    const work = new Map(shares.map((share, thread) => [thread, { kind: 'stride', share, course }] as const));
    const interrupt = (): void => void Atomics.store(this.words, INTERRUPT, 1);
    return await this.inTurn(work, async () => {
      if (signal?.aborted) return 0;
      Atomics.store(this.words, INTERRUPT, 0);
      Atomics.store(this.words, STEPS_DONE, 0);
      signal?.addEventListener('abort', interrupt);
      try {
        await this.perform(work);
      } finally {
        signal?.removeEventListener('abort', interrupt);
      }
      return this.stepsDone;
    });
  }

  /** Ends all threads; jobs under way reject. Resolves when the threads are gone; may be called again. */
  stop(): Promise<void> {
    return this.finish(new Error('the compute threads were stopped'));
  }

  /** Waits until the threads of a job are free, in the order of the calls. */
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

  /** Hands work to threads that are free; resolves when all have done theirs. */
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
    return new Promise((resolve, reject) => {
      this.rejectors.add(reject);
      void this.changed(finishedAt, before).then(() => {
        this.rejectors.delete(reject);
        resolve();
      });
    });
  }

  /**
   * Resolves when a word is no longer what it was. To be woken says nothing: a thread that finishes a job writes the word
   * and then wakes whoever waits, and if it is held up in between, the next job may be what is waited for by then.
   */
  private async changed(at: number, before: number): Promise<void> {
    while (Atomics.load(this.words, at) === before) {
      const wake = Atomics.waitAsync(this.words, at, before);
      if (wake.async) await wake.value;
    }
  }

  /** The team's end, once: its first cause is the one that everybody hears of. */
  private finish(error: Error): Promise<void> {
    if (!this.end) {
      abortBarrier(this.words);
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
    assert(this.kernels !== undefined, 'the team has not started');
    return this.kernels;
  }
}

function ignore(): void {}
