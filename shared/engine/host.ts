import { Piscina } from 'piscina';
import { UserError } from '../errors.js';
import type { ThreadEnd, ThreadReady, ThreadTask } from './thread-loop.js';

/**
 * Operating-system threads for a team, kept in a Piscina pool: one for each task, which runs from start to stop.
 * While it does, it keeps the process alive.
 */
export class Host {
  /** Settles when all threads have loaded their kernels; says which. */
  readonly ready: Promise<ThreadReady>;
  private readonly pool: Piscina<ThreadTask, ThreadEnd>;

  /**
   * @param entry path of the file that threads start with (thread-entry.ts)
   * @param onFailure called, perhaps more than once, when a thread has ended on its own
   */
  constructor(
    private readonly tasks: readonly ThreadTask[],
    entry: string,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.pool = new Piscina({
      filename: entry,
      name: 'compute',
      minThreads: tasks.length,
      maxThreads: tasks.length,
      // Piscina's own waiting would freeze a thread's event loop before its task has begun.
      atomics: 'disabled',
      // Loaders of this process, such as a test runner's, would slow down the start; the entry needs none.
      execArgv: [],
    });
    // An error that nobody listens to ends the process.
    this.pool.on('error', (error: Error) => this.onFailure(error));
    this.ready = this.awaitReady();
    for (const task of tasks) void this.watch(task);
  }

  /** Ends all threads, whatever they are doing; resolves when they are gone. */
  stop(): Promise<void> {
    return this.pool.destroy();
  }

  private awaitReady(): Promise<ThreadReady> {
    let missing = this.tasks.length;
    return new Promise((resolve) => {
      this.pool.on('message', (ready: ThreadReady) => {
        missing -= 1;
        if (missing === 0) resolve(ready);
      });
    });
  }

  private async watch(task: ThreadTask): Promise<void> {
    const name = `compute thread ${task.thread + 1} of ${task.threads}`;
    try {
      const end = await this.pool.run(task);
      if (end.why === 'told') return;
      const { isUserError, message } = end;
      this.onFailure(isUserError ? new UserError(message) : new Error(`${name} failed: ${message}`));
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      this.onFailure(new Error(`${name} died: ${message}`, { cause }));
    }
  }
}
