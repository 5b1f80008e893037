/* The file that a compute thread of a browser starts with. */
import { runThread, type ThreadTask } from '../../shared/engine/threads/thread-loop.js';
import type { ThreadReport } from './messages.js';
import { loadWebKernels } from './web-kernels.js';
import { workerScope } from './worker-scope.js';

const scope = workerScope<ThreadTask, ThreadReport>();

scope.onmessage = async ({ data }) => {
  const end = await runThread(data, loadWebKernels, (ready) => scope.postMessage({ ready }));
  scope.postMessage({ end });
};
