import { ComputeMemory } from '../../shared/engine/memory.js';
import type { Backend, Kernels } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { Tape } from '../../shared/kernels/tape.js';

/** One memory and one instance of the kernels: all that a test needs to compute. */
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

  /** Writes a tape and runs it once. */
  run(write: (tape: Tape) => void): void {
    const tape = new Tape();
    write(tape);
    const words = tape.words();
    const at = this.memory.allocate(words.byteLength, 'tapes');
    this.memory.i32(at, words.length).set(words);
    this.kernels.run(at, words.length);
  }
}
