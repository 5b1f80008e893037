import type { Job } from '../graph/job.js';
import type { Plan } from '../graph/plan.js';
import type { Tape } from '../kernels/tape.js';
import type { Optimizer } from '../optim/optimizer.js';
import { leafCount, maximalSubtrees, nodeLeaves, type Range, rowsOf } from '../sum/leaves.js';
import type { DataStore } from './data-store.js';
import type { ComputeMemory } from './memory.js';
import type { Partial, SlotAdd } from './partials.js';
import { TapeStore } from './tape-store.js';
import type { TapeRef } from './team.js';
import { ThreadSpace } from './thread-space.js';

/** What the steps of one run have in common on one machine. */
export interface RunPlace {
  readonly memory: ComputeMemory;
  readonly plan: Plan;
  readonly data: DataStore;
  readonly leafSize: number;
  /** Byte offset of the parameters: `plan.parameterFloats` floats. */
  readonly weights: number;
}

/** A thread's tape for a range of leaves, and where the sums of the range will be. */
export interface ComputeTape {
  readonly tape: TapeRef;
  readonly partials: readonly Partial[];
}

/** The optimizer's side of a run, where weights are updated. */
export interface Updater {
  readonly optimizer: Optimizer;
  /** Byte offsets of its state vectors, `plan.parameterFloats` floats each. */
  readonly state: readonly number[];
}

/** A stretch of the flat vector, in floats: one thread's part of the additions and of the update. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** Writes the tapes of one thread: its share of a step's samples, and its slice of the additions and of the update. */
export class StepCompiler {
  readonly space: ThreadSpace;
  private readonly tapes: TapeStore;

  constructor(private readonly place: RunPlace) {
    this.space = new ThreadSpace(place.memory, place.plan.vectorFloats * 4);
    this.tapes = new TapeStore(place.memory);
  }

  /**
   * Forward and backward over a range of leaves; the partial sums go to the thread's slots from `firstSlot` on.
   *
   * @param batch samples of this step's global batch
   */
  compute(range: Range, batch: number, firstSlot: number): ComputeTape {
    const { plan, leafSize } = this.place;
    const nodes = maximalSubtrees(range, leafCount(batch, leafSize));
    const partials = nodes.map((node, i) => ({ node, slot: this.space.slot(firstSlot + i) }));
    const before = this.space.scratch(0);
    const scratch = this.space.scratch(plan.scratchBytes(rowsOf(range, batch, leafSize).rows));
    if (scratch !== before) this.tapes.forget();
    const key = `compute ${range.from} ${range.to} ${batch} ${firstSlot}`;
    const tape = this.tapes.get(key, (t) => plan.emitTraining(t, this.job(range, batch, partials, scratch)));
    return { tape, partials };
  }

  /** Additions on one slice of the vector. */
  add(adds: readonly SlotAdd[], slice: Slice): TapeRef {
    return this.tapes.get(`add ${describe(adds, slice)}`, (tape) => emitAdds(tape, adds, slice));
  }

  /** Additions on one slice of the vector, and then the update of the weights with what is at `root`. */
  finish(adds: readonly SlotAdd[], root: number, slice: Slice, update: Updater): TapeRef {
    return this.tapes.get(`finish ${root} ${describe(adds, slice)}`, (tape) => {
      emitAdds(tape, adds, slice);
      const at = slice.from * 4;
      // The metric sums lie behind the parameters: they are added up, never updated with.
      const n = Math.min(slice.to, this.place.plan.parameterFloats) - slice.from;
      if (n <= 0) return;
      update.optimizer.emit(tape, {
        weights: this.place.weights + at,
        gradient: root + at,
        slots: update.state.map((vector) => vector + at),
        n,
        scalars: this.space.scalars,
      });
    });
  }

  private job(range: Range, batch: number, partials: readonly Partial[], scratch: number): Job {
    const { leafSize, weights, data } = this.place;
    const leaves = leafCount(batch, leafSize);
    const { first, rows } = rowsOf(range, batch, leafSize);
    const subtrees = partials.map(({ node, slot }) => {
      const place = rowsOf(nodeLeaves(node, leaves), batch, leafSize);
      return { row: place.first - first, rows: place.rows, out: slot };
    });
    const placement = data.placement(this.space.cursor);
    return { rows, first, batch, leafSize, subtrees, weights, scratch, data: placement };
  }
}

function emitAdds(tape: Tape, adds: readonly SlotAdd[], slice: Slice): void {
  const at = slice.from * 4;
  const n = slice.to - slice.from;
  for (const { out, a, b } of adds) tape.emit('addVectors', { out: out + at, a: a + at, b: b + at, n });
}

function describe(adds: readonly SlotAdd[], slice: Slice): string {
  return `${slice.from} ${slice.to} ${adds.map(({ out, a, b }) => `${out},${a},${b}`).join(' ')}`;
}
