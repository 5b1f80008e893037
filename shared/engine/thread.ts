/* The file that Piscina starts in a compute thread. */
import { parentPort } from 'node:worker_threads';
import { loadKernels } from '../kernels/load.js';
import { serve, type ThreadEnd, type ThreadTask } from './thread-loop.js';

/** The one task of a compute thread; ends with its team. */
export function compute(task: ThreadTask): Promise<ThreadEnd> {
  return serve(task, loadKernels, (ready) => parentPort?.postMessage(ready));
}
