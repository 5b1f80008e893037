import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { StrideShare } from '../../shared/engine/job.js';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { StepTable } from '../../shared/engine/step-table.js';
import { type Stride, type TapeRef, Team } from '../../shared/engine/team.js';

const NO_TAPE: TapeRef = { offset: 0, words: 0 };

/** A file that threads can start with. */
export const STAND_IN = fileURLToPath(new URL('./stand-in-thread.mjs', import.meta.url));

/** The deeds of stand-in-thread.mjs by name. */
const DEEDS = { digest: 1, exit: 2, slip: 3, hold: 4, count: 5, exitAt: 6 } as const;

type Call = readonly [deed: keyof typeof DEEDS, ...args: number[]];

/** A team with the kernels of stand-in-thread.mjs, and the cells that its tapes name. */
export class Bench {
  private constructor(
    readonly memory: ComputeMemory,
    readonly team: Team,
  ) {}

  /** Starts a team that stops with the test. */
  static async of(threads: number): Promise<Bench> {
    const memory = new ComputeMemory();
    const team = await Team.start({ memory, threads, backend: 'wasm', entry: STAND_IN });
    onTestFinished(() => team.stop());
    return new Bench(memory, team);
  }

  /** Index of the first of some new cells, all 0. */
  cells(count: number): number {
    return this.memory.allocate(count * 4) / 4;
  }

  /** What is in some cells. */
  read(cell: number, count: number): number[] {
    return [...this.memory.i32(cell * 4, count)];
  }

  tape(...calls: Call[]): TapeRef {
    const words = calls.flatMap(([deed, a = 0, b = 0, c = 0]) => [DEEDS[deed], a, b, c]);
    const offset = this.memory.allocate(words.length * 4);
    this.memory.i32(offset, words.length).set(words);
    return { offset, words: words.length };
  }

  /** Resolves when so many threads hold at `cell`. */
  async held(cell: number, threads = 1): Promise<void> {
    const words = this.memory.i32(cell * 4, 1);
    for (let count = 0; count < threads; count = Atomics.load(words, 0)) {
      await Atomics.waitAsync(words, 0, count).value;
    }
  }

  /** Lets go those who hold until this cell is not 0. */
  release(cell: number): void {
    const words = this.memory.i32(cell * 4, 1);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
  }

  /** A stride of `steps` whose rows are all different; the metric sums are `metricCells`. */
  stride(
    steps: number,
    tapesOf: (
      thread: number,
      share: Pick<StrideShare, 'cursor' | 'scalars'>,
    ) => Pick<StrideShare, 'compute' | 'finish'> & { readonly update?: TapeRef },
    metrics = { cell: this.cells(1), count: 1 },
    guard = this.cells(1),
  ): Stride {
    const table = new StepTable(this.memory, steps, 2);
    for (let step = 0; step < steps; step++) {
      table.set(step, {
        order: 2 ** 31 + step,
        position: 3 * step,
        step: 7 * step,
        scalars: [step / 2, -step],
      });
    }
    const shares = Array.from({ length: this.team.threads }, (_, thread) => {
      const cells = { cursor: this.memory.allocate(12), scalars: this.memory.allocate(8) };
      return { ...cells, update: NO_TAPE, ...tapesOf(thread, cells) };
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

/** What the deed `digest` computes. */
export function digest(cells: readonly number[]): number {
  return cells.reduce((sum, cell) => (Math.imul(sum, 31) + cell) | 0, 17);
}
