import { OwnThread } from '../../shared/engine/threads/own-thread.js';
import type { Platform } from '../../shared/engine/threads/thread-host.js';
import { provideWaitAsync } from './wait-async.js';
import { loadWebKernels } from './web-kernels.js';
import { sha256Hex } from './web-sha256.js';
import { WorkerThreads } from './worker-threads.js';

/**
 * Computing in a browser.
 * @param isIsolated whether threads can share memory. If not, a pool has one thread, which is the caller's own.
 */
export function webPlatform(isIsolated: boolean): Platform {
  if (isIsolated) provideWaitAsync();
  return {
    cores: navigator.hardwareConcurrency,
    startThreads: (tasks, onFailure) =>
      isIsolated ? new WorkerThreads(tasks, onFailure) : new OwnThread(tasks, onFailure, loadWebKernels),
    loadKernels: loadWebKernels,
    sha256Hex,
  };
}
