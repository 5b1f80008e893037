import type { ThreadHost } from '../../shared/engine/threads/thread-host.js';
import {
  type ThreadReady,
  type ThreadTask,
  threadFailure,
  threadName,
} from '../../shared/engine/threads/thread-loop.js';
import type { ThreadNews, ThreadRequest } from './messages.js';
import { workerScope } from './worker-scope.js';

/** The calling worker, among whose messages is what its page tells about threads. */
const scope = workerScope<ThreadNews | { readonly kind?: unknown }, ThreadRequest>();

/**
 * Compute threads that are Web Workers, one for each task. The page starts them for the calling worker: in Firefox,
 * workers that started others on a busy machine were now and then seen to block for ever.
 */
export class WorkerThreads implements ThreadHost {
  readonly ready: Promise<ThreadReady>;
  private readonly stopped = new AbortController();

  constructor(
    private readonly tasks: readonly ThreadTask[],
    private readonly onFailure: (error: Error) => void,
  ) {
    let missing = tasks.length;
    this.ready = new Promise((resolve) => {
      scope.addEventListener(
        'message',
        ({ data }) => {
          const ready = isNews(data) ? this.told(data) : undefined;
          if (ready === undefined) return;
          missing -= 1;
          if (missing === 0) resolve(ready);
        },
        this.stopped,
      );
    });
    for (const task of tasks) scope.postMessage({ kind: 'start-thread', task });
  }

  stop(): Promise<void> {
    // What is told from then on is about threads that others have asked for.
    this.stopped.abort();
    scope.postMessage({ kind: 'stop-threads' });
    return Promise.resolve();
  }

  /** Returns what a thread reports that has loaded its kernels. */
  private told({ thread, report }: ThreadNews): ThreadReady | undefined {
    if ('ready' in report) return report.ready;
    const task = this.tasks[thread] as ThreadTask;
    const failure =
      'died' in report
        ? new Error(`${threadName(task)} died: ${report.died}`)
        : threadFailure(task, report.end);
    if (failure !== undefined) this.onFailure(failure);
    return undefined;
  }
}

function isNews(message: { readonly kind?: unknown }): message is ThreadNews {
  return message.kind === 'thread';
}
