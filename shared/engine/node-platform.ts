import { availableParallelism } from 'node:os';
import { sha256Hex } from '../files/sha256.js';
import { loadKernels } from '../kernels/load.js';
import { buildNativeKernels, nativeBuildIsDue } from '../kernels/native-build.js';
import { PiscinaHost } from './threads/piscina-host.js';
import { threadEntry } from './threads/thread-entry.js';
import type { Platform } from './threads/thread-host.js';

/**
 * Computing in a process of Node.
 * @param entry path of a file that exports what thread.ts does
 */
export function nodePlatform(entry?: string): Platform {
  return {
    cores: availableParallelism(),
    // Of an installed package; in a checkout setup does it.
    prepare: async (backend) => {
      if (nativeBuildIsDue(backend)) await buildNativeKernels();
    },
    startThreads: (tasks, onFailure) => new PiscinaHost(tasks, entry ?? threadEntry(), onFailure),
    ...{ loadKernels, sha256Hex },
  };
}
