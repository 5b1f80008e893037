import { assert } from '../../errors.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { Platform, ThreadHost } from './thread-host.js';
import { ThreadJobs, type ThreadReady, type ThreadTask, threadError, threadFailure } from './thread-loop.js';

/** A host without threads: the caller's own thread does each job when it is posted. For a pool of one thread. */
export class OwnThread implements ThreadHost {
  readonly ready: Promise<ThreadReady>;
  private readonly task: ThreadTask;
  private jobs: ThreadJobs | undefined;

  /** @param onFailure called when loading the kernels or a job has failed */
  constructor(
    tasks: readonly ThreadTask[],
    private readonly onFailure: (error: Error) => void,
    loadKernels: Platform['loadKernels'],
  ) {
    const [task, ...others] = tasks;
    assert(task !== undefined && others.length === 0, 'one thread has one task');
    this.task = task;
    this.ready = loadKernels(task).then((kernels) => this.start(kernels));
    this.ready.catch((error: unknown) => this.fail(error));
  }

  posted(): void {
    try {
      this.jobs?.next();
    } catch (error) {
      this.fail(error);
    }
  }

  stop(): Promise<void> {
    this.jobs = undefined;
    return Promise.resolve();
  }

  private start(kernels: Kernels): ThreadReady {
    this.jobs = new ThreadJobs(this.task, kernels);
    return { thread: 0, backend: kernels.backend, detail: kernels.detail };
  }

  private fail(error: unknown): void {
    const failure = threadFailure(this.task, threadError(error));
    if (failure !== undefined) this.onFailure(failure);
  }
}
