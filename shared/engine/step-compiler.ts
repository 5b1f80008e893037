import type { Job } from '../graph/job.js';
import type { Plan } from '../graph/plan.js';
import { NORM_BLOCK_FLOATS } from '../kernels/memory-map.js';
import type { Tape } from '../kernels/tape.js';
import type { Clipping } from '../optim/clipping.js';
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
  readonly clipping?: Clipping;
  /** Byte offset of the sums of squares of the gradient's blocks, for clipping by its norm: `normBlocks` floats. */
  readonly norms: number;
}

/** Blocks of a gradient, each with a sum of squares of its own. */
export function normBlocks({ trainedFloats }: Pick<Plan, 'trainedFloats'>): number {
  return Math.ceil(trainedFloats / NORM_BLOCK_FLOATS);
}

/** Whether the update needs the whole sum: then it is a tape of its own. */
export function updatesApart({ clipping }: Updater): boolean {
  return clipping?.by === 'globalNorm';
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

  /**
   * Additions on one slice of the vector, and then the update of the weights with what is at `root`; if that is a tape
   * of its own, what it needs to know of the slice, which then begins with a block.
   */
  finish(adds: readonly SlotAdd[], root: number, slice: Slice, update: Updater): TapeRef {
    return this.tapes.get(`finish ${root} ${describe(adds, slice)}`, (tape) => {
      emitAdds(tape, adds, slice);
      this.emitAverages(tape, root, slice);
      const n = this.trainedIn(slice);
      if (n === 0) return;
      const a = root + slice.from * 4;
      if (updatesApart(update)) {
        const out = update.norms + (slice.from / NORM_BLOCK_FLOATS) * 4;
        tape.emit('sumSquares', { a, out, n });
        return;
      }
      if (update.clipping !== undefined) tape.emit('clampVector', { a, n, limit: update.clipping.limit });
      this.emitUpdate(tape, root, slice, update);
    });
  }

  /** The update of a slice of the weights, where it needs the whole sum. */
  update(root: number, slice: Slice, update: Updater): TapeRef {
    return this.tapes.get(`update ${root} ${slice.from} ${slice.to}`, (tape) => {
      const n = this.trainedIn(slice);
      if (n === 0 || update.clipping === undefined) return;
      const { total } = this.space;
      tape.emit('treeTotal', { a: update.norms, out: total, n: normBlocks(this.place.plan) });
      tape.emit('shrinkVector', { a: root + slice.from * 4, total, n, limit: update.clipping.limit });
      this.emitUpdate(tape, root, slice, update);
    });
  }

  private emitUpdate(tape: Tape, root: number, slice: Slice, { optimizer, state }: Updater): void {
    const at = slice.from * 4;
    optimizer.emit(tape, {
      weights: this.place.weights + at,
      gradient: root + at,
      slots: state.map((vector) => vector + at),
      n: this.trainedIn(slice),
      scalars: this.space.scalars,
    });
  }

  /** Moving averages of a slice take a step towards what the batch has measured. */
  private emitAverages(tape: Tape, root: number, slice: Slice): void {
    const { plan, weights } = this.place;
    for (const { offset, size, momentum } of plan.parameters) {
      const from = Math.max(slice.from, offset);
      const n = Math.min(slice.to, offset + size) - from;
      if (momentum === undefined || n <= 0) continue;
      tape.emit('moveAverage', {
        average: weights + from * 4,
        value: root + from * 4,
        n,
        share: 1 - momentum,
      });
    }
  }

  /**
   * Trained parameters of a slice. Behind them lie moving averages, and metric sums, which are added up and never updated
   * with.
   */
  private trainedIn({ from, to }: Slice): number {
    return Math.max(0, Math.min(to, this.place.plan.trainedFloats) - from);
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
