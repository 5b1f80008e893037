import { CommandBuffer } from '../kernels/command-buffer.js';
import type { Backend, Kernels } from '../kernels/kernels.js';
import { THREAD_BYTES } from '../kernels/memory-map.js';
import { type KernelHash, runSelfTest, SELF_TEST_BYTES } from '../kernels/self-test/self-test.js';
import { ComputeMemory } from './memory.js';
import type { Platform } from './threads/thread-host.js';
import { ThreadPool } from './threads/thread-pool.js';

/** What this machine computes with: one memory, a thread pool that works on it, and kernels for the main thread. */
export class Device {
  private constructor(
    readonly memory: ComputeMemory,
    readonly threadPool: ThreadPool,
    /** Kernels of the main thread, of the same build as the thread pool's, for what is done once, such as drawing the first weights. */
    readonly kernels: Kernels,
    readonly platform: Platform,
  ) {}

  /**
   * Starts the threads.
   * @throws UserError when the backend is not available here
   */
  static async start(threads: number, backend: 'auto' | Backend, platform: Platform): Promise<Device> {
    await platform.prepare?.(backend);
    const memory = new ComputeMemory();
    const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
    const [threadPool, kernels] = await Promise.all([
      ThreadPool.start({ memory, threads, backend, platform }),
      platform.loadKernels({ memory: memory.memory, backend, stackTop }),
    ]);
    return new Device(memory, threadPool, kernels, platform);
  }

  /** Writes a command buffer and runs it on the main thread. */
  runOnce(emit: (commandBuffer: CommandBuffer) => void): void {
    const commandBuffer = new CommandBuffer();
    emit(commandBuffer);
    const words = commandBuffer.words();
    const offset = this.memory.allocate(words.byteLength, 'command buffers');
    this.memory.i32(offset, words.length).set(words);
    this.kernels.run(offset, words.length);
  }

  /** Runs every kernel of this device's build on fixed inputs: a worker's evidence that it computes the canonical bits. */
  selfTest(): KernelHash[] {
    const scratch = this.memory.allocate(SELF_TEST_BYTES, 'the self-test');
    return runSelfTest(this.kernels, this.memory.memory, scratch, this.platform.sha256Hex);
  }

  /** Stops the threads. May be called more than once. */
  stop(): Promise<void> {
    return this.threadPool.stop();
  }
}
