/* A compute thread that tells what it spends its time on: started in place of shared/engine/thread.ts. */

import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../shared/actor/clock.js';
import { serve, type ThreadEnd, type ThreadTask } from '../../shared/engine/thread-loop.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { openThreadTimes } from './thread-times.js';
import { TimedKernels } from './timed-kernels.js';

/** The one task of a compute thread; ends with its team. */
export function compute(task: ThreadTask): Promise<ThreadEnd> {
  const channel = openThreadTimes();
  return serve(
    task,
    async (options) =>
      new TimedKernels(await loadKernels(options), task.memory, task.thread, systemClock, (times) =>
        channel.postMessage(times),
      ),
    (ready) => parentPort?.postMessage(ready),
  );
}
