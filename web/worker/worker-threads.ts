import type { ThreadHost } from '../../shared/engine/threads/thread-host.js';
import {
  type ThreadReady,
  type ThreadTask,
  threadFailure,
  threadName,
} from '../../shared/engine/threads/thread-loop.js';
import type { ThreadReport } from './messages.js';

/** Compute threads that are Web Workers, one for each task. */
export class WorkerThreads implements ThreadHost {
  readonly ready: Promise<ThreadReady>;
  private readonly workers: readonly Worker[];

  constructor(
    tasks: readonly ThreadTask[],
    private readonly onFailure: (error: Error) => void,
  ) {
    let missing = tasks.length;
    let resolve = (_ready: ThreadReady): void => {};
    this.ready = new Promise((settle) => {
      resolve = settle;
    });
    this.workers = tasks.map((task) =>
      this.start(task, (ready) => {
        missing -= 1;
        if (missing === 0) resolve(ready);
      }),
    );
  }

  stop(): Promise<void> {
    for (const worker of this.workers) worker.terminate();
    return Promise.resolve();
  }

  private start(task: ThreadTask, onReady: (ready: ThreadReady) => void): Worker {
    const name = threadName(task);
    const worker = new Worker(new URL('./compute-thread.js', import.meta.url), { type: 'module', name });
    worker.addEventListener('message', ({ data }: MessageEvent<ThreadReport>) => {
      if ('ready' in data) return onReady(data.ready);
      const failure = threadFailure(task, data.end);
      if (failure !== undefined) this.onFailure(failure);
    });
    worker.addEventListener('error', ({ message = 'it could not be loaded' }) =>
      this.onFailure(new Error(`${name} died: ${message}`)),
    );
    worker.postMessage(task);
    return worker;
  }
}
