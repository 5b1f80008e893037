import { Piscina } from 'piscina';
import { messageOf } from '../../errors.js';
import type { ThreadHost } from './thread-host.js';
import {
  type ThreadEnd,
  type ThreadReady,
  type ThreadTask,
  threadFailure,
  threadName,
} from './thread-loop.js';

/**
 * The operating-system threads of a thread pool, kept by Piscina: one for each task, which runs from start to stop. While
 * they run they keep the process alive.
 */
export class PiscinaHost implements ThreadHost {
  readonly ready: Promise<ThreadReady>;
  private readonly pool: Piscina<ThreadTask, ThreadEnd>;

  /**
   * @param entry path of the file that threads start with (thread-entry.ts)
   * @param onFailure called, perhaps more than once, when a thread has failed or died
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
      // Piscina's own waiting would block a thread's event loop before its task begins.
      atomics: 'disabled',
      // Module loaders of this process, such as a test runner's, would slow down the start. The entry needs none.
      execArgv: [],
    });
    // An error event without a listener ends the process.
    this.pool.on('error', (error: Error) => this.onFailure(error));
    this.ready = this.awaitReady();
    for (const task of tasks) void this.supervise(task);
  }

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

  private async supervise(task: ThreadTask): Promise<void> {
    try {
      const failure = threadFailure(task, await this.pool.run(task));
      if (failure !== undefined) this.onFailure(failure);
    } catch (cause) {
      const message = messageOf(cause);
      this.onFailure(new Error(`${threadName(task)} died: ${message}`, { cause }));
    }
  }
}
