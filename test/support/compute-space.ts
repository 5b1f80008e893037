import { ComputeMemory } from '../../shared/engine/memory.js';
import { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import type { Backend, Kernels } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../shared/kernels/memory-map.js';

/** One memory and one instance of the kernels: what a test needs to compute. */
export class ComputeSpace {
  private constructor(
    readonly memory: ComputeMemory,
    readonly kernels: Kernels,
  ) {}

  static async open(backend: Backend = 'wasm'): Promise<ComputeSpace> {
    const memory = new ComputeMemory();
    const stackTop = memory.allocate(THREAD_BYTES, 'stacks') + THREAD_BYTES;
    return new ComputeSpace(memory, await loadKernels({ memory: memory.memory, backend, stackTop }));
  }

  /** Writes a command buffer and runs it once. */
  run(write: (commandBuffer: CommandBuffer) => void): void {
    const commandBuffer = new CommandBuffer();
    write(commandBuffer);
    const words = commandBuffer.words();
    const at = this.memory.allocate(words.byteLength, 'command buffers');
    this.memory.i32(at, words.length).set(words);
    this.kernels.run(at, words.length);
  }
}
