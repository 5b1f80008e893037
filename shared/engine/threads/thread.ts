/* The file that Piscina starts in a compute thread. */
import { parentPort } from 'node:worker_threads';
import { loadKernels } from '../../kernels/load.js';
import { runThread, type ThreadEnd, type ThreadTask } from './thread-loop.js';

/** The one task of a compute thread. It ends with its pool. */
export function compute(task: ThreadTask): Promise<ThreadEnd> {
  return runThread(task, loadKernels, (ready) => parentPort?.postMessage(ready));
}
