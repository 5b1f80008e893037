import type { Backend, Kernels, LoadOptions } from '../../kernels/kernels.js';
import type { ThreadReady, ThreadTask } from './thread-loop.js';

/** The threads of a thread pool, one for each task. */
export interface ThreadHost {
  /** Resolves when all threads have loaded their kernels. */
  readonly ready: Promise<ThreadReady>;
  /**
   * Called after jobs were posted. Threads that block until there is a job need nothing; a thread that is the caller's
   * own does the job now.
   */
  posted?(): void;
  /** Ends all threads at once. Resolves when they are gone. */
  stop(): Promise<void>;
}

/** What differs between Node (node-platform.ts) and a browser (web/worker/web-platform.ts) for what computes. */
export interface Platform {
  /** Logical processors. */
  readonly cores: number;
  /** Makes what a backend needs, at its first use on this machine. */
  prepare?(backend: 'auto' | Backend): Promise<void>;
  /**
   * Starts one thread for each task.
   * @param onFailure called, perhaps more than once, when a thread has failed or died
   */
  startThreads(tasks: readonly ThreadTask[], onFailure: (error: Error) => void): ThreadHost;
  /** Loads the kernels for the calling thread. @throws UserError when the backend is not available */
  loadKernels(options: LoadOptions & { readonly backend: 'auto' | Backend }): Promise<Kernels>;
  /** SHA-256 of bytes, lower-case hexadecimal. */
  sha256Hex(bytes: Uint8Array): string;
}
