import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import { StepTable } from '../../shared/engine/threads/step-table.js';
import type { CommandBufferRef, ExecutionShare } from '../../shared/engine/threads/thread-job.js';
import { type Execution, ThreadPool } from '../../shared/engine/threads/thread-pool.js';

const NO_COMMAND_BUFFER: CommandBufferRef = { offset: 0, words: 0 };

/** A file that threads can start with. */
export const STAND_IN = fileURLToPath(new URL('./stand-in-thread.mjs', import.meta.url));

/** The operations of stand-in-thread.mjs by name. */
const OPERATIONS = { digest: 1, exit: 2, fail: 3, hold: 4, count: 5, exitAt: 6 } as const;

type Call = readonly [operation: keyof typeof OPERATIONS, ...args: number[]];

/** A thread pool with the kernels of stand-in-thread.mjs. Its command buffers work on cells, which are Int32. */
export class Bench {
  private constructor(
    readonly memory: ComputeMemory,
    readonly threadPool: ThreadPool,
  ) {}

  /** Starts a thread pool that stops with the test. */
  static async of(threads: number): Promise<Bench> {
    const memory = new ComputeMemory();
    const threadPool = await ThreadPool.start({
      memory,
      threads,
      backend: 'wasm',
      platform: nodePlatform(STAND_IN),
    });
    onTestFinished(() => threadPool.stop());
    return new Bench(memory, threadPool);
  }

  /** Allocates cells, all 0. Returns the index of the first. */
  cells(count: number): number {
    return this.memory.allocate(count * 4) / 4;
  }

  /** The values of some cells. */
  read(cell: number, count: number): number[] {
    return [...this.memory.i32(cell * 4, count)];
  }

  commandBuffer(...calls: Call[]): CommandBufferRef {
    const words = calls.flatMap(([operation, a = 0, b = 0, c = 0]) => [OPERATIONS[operation], a, b, c]);
    const offset = this.memory.allocate(words.length * 4);
    this.memory.i32(offset, words.length).set(words);
    return { offset, words: words.length };
  }

  /** Resolves when so many threads wait in a `hold` that counts in `cell`. */
  async held(cell: number, threads = 1): Promise<void> {
    const words = this.memory.i32(cell * 4, 1);
    for (let count = 0; count < threads; count = Atomics.load(words, 0)) {
      await Atomics.waitAsync(words, 0, count).value;
    }
  }

  /** Releases the threads that hold until this cell is not 0. */
  release(cell: number): void {
    const words = this.memory.i32(cell * 4, 1);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
  }

  /** An execution of `steps` steps whose table rows are all different. */
  execution(
    steps: number,
    commandBuffersOf: (
      thread: number,
      share: Pick<ExecutionShare, 'cursor' | 'scalars'>,
    ) => Pick<ExecutionShare, 'compute' | 'finish'> & { readonly update?: CommandBufferRef },
    metrics = { cell: this.cells(1), count: 1 },
    guard = this.cells(1),
  ): Execution {
    const table = new StepTable(this.memory, steps, 2);
    for (let step = 0; step < steps; step++) {
      table.set(step, {
        order: 2 ** 31 + step,
        position: 3 * step,
        step: 7 * step,
        scalars: [step / 2, -step],
      });
    }
    const shares = Array.from({ length: this.threadPool.threads }, (_, thread) => {
      const cells = { cursor: this.memory.allocate(12), scalars: this.memory.allocate(8) };
      return { ...cells, update: NO_COMMAND_BUFFER, ...commandBuffersOf(thread, cells) };
    });
    const log = this.memory.allocate(steps * metrics.count * 4);
    return {
      steps,
      table,
      shares,
      metrics: { offset: metrics.cell * 4, floats: metrics.count, log },
      guard: { offset: guard * 4, floats: 1 },
    };
  }
}

/** What the operation `digest` computes. */
export function digest(cells: readonly number[]): number {
  return cells.reduce((sum, cell) => (Math.imul(sum, 31) + cell) | 0, 17);
}
