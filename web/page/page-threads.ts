import { threadName } from '../../shared/engine/threads/thread-loop.js';
import type { ThreadNews, ThreadRequest } from '../worker/messages.js';

/** The compute threads of a worker of this page, which starts them for it; see worker-threads.ts. They end with the worker. */
export class PageThreads {
  private threads: Worker[] = [];
  private isOver = false;

  constructor(private readonly owner: Worker) {}

  /** Does what the owner asks for. */
  handle(request: ThreadRequest): void {
    // What the owner sent before it was ended.
    if (this.isOver) return;
    if (request.kind === 'stop-threads') return this.stop();
    const { task } = request;
    const url = new URL('../worker/compute-thread.js', import.meta.url);
    const thread = new Worker(url, { type: 'module', name: threadName(task) });
    this.threads.push(thread);
    const tell = (report: ThreadNews['report']): void =>
      this.owner.postMessage({ kind: 'thread', thread: task.thread, report } satisfies ThreadNews);
    thread.addEventListener('message', ({ data }) => tell(data));
    thread.addEventListener('error', ({ message = 'it could not be loaded' }) => tell({ died: message }));
    thread.postMessage(task);
  }

  /** Ends the threads at once. */
  stop(): void {
    for (const thread of this.threads.splice(0)) thread.terminate();
  }

  /** Ends the owner and its threads at once. */
  terminate(): void {
    this.isOver = true;
    this.owner.terminate();
    this.stop();
  }
}
