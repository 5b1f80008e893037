import type { Backend, Kernels } from '../kernels/kernels.js';
import { loadKernels } from '../kernels/load.js';
import { THREAD_BYTES } from '../kernels/memory-map.js';
import { Tape } from '../kernels/tape.js';
import { ComputeMemory } from './memory.js';
import { Team } from './team.js';

/** What this machine computes with: one memory, its compute threads, and kernels for the main thread. */
export class Machine {
  private constructor(
    readonly memory: ComputeMemory,
    readonly team: Team,
    /** For what is done once, such as drawing the first weights; on the same build as the team's. */
    readonly kernels: Kernels,
  ) {}

  /**
   * Starts the threads.
   * @param entry file that they start with; see TeamOptions
   * @throws UserError when the backend is not to be had here
   */
  static async start(threads: number, backend: 'auto' | Backend, entry?: string): Promise<Machine> {
    const memory = new ComputeMemory();
    const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
    const [team, kernels] = await Promise.all([
      Team.start({ memory, threads, backend, ...(entry === undefined ? {} : { entry }) }),
      loadKernels({ memory: memory.memory, backend, stackTop }),
    ]);
    return new Machine(memory, team, kernels);
  }

  /** Writes a tape and runs it here and now. */
  runOnce(emit: (tape: Tape) => void): void {
    const tape = new Tape();
    emit(tape);
    const words = tape.words();
    const offset = this.memory.allocate(words.byteLength, 'tapes');
    this.memory.i32(offset, words.length).set(words);
    this.kernels.run(offset, words.length);
  }

  /** Ends the threads; may be called again. */
  stop(): Promise<void> {
    return this.team.stop();
  }
}
