/* A compute thread that reports its times: started in place of shared/engine/threads/thread.ts. */

import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../shared/actor/clock.js';
import { runThread, type ThreadEnd, type ThreadTask } from '../../shared/engine/threads/thread-loop.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { openThreadTimes } from './thread-times.js';
import { TimedKernels } from './timed-kernels.js';

/** The one task of a compute thread; it ends with its thread pool. */
export function compute(task: ThreadTask): Promise<ThreadEnd> {
  const channel = openThreadTimes();
  return runThread(
    task,
    async (options) =>
      new TimedKernels(await loadKernels(options), task.memory, task.thread, systemClock, (times) =>
        channel.postMessage(times),
      ),
    (ready) => parentPort?.postMessage(ready),
  );
}
