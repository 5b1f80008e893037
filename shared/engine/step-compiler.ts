import { squareRoot } from '../arithmetic/square-root.js';
import type { PlannedParameter } from '../graph/flat-vector.js';
import type { Job } from '../graph/job.js';
import { keyOf } from '../graph/keys.js';
import type { Plan } from '../graph/plan.js';
import type { Tape } from '../kernels/tape.js';
import type { Clipping } from '../optim/clipping.js';
import type { GradientNoise } from '../optim/gradient-noise.js';
import type { Optimizer } from '../optim/optimizer.js';
import { leafCount, maximalSubtrees, nodeLeaves, type Range, rowsOf } from '../sum/leaves.js';
import type { DataStore } from './data-store.js';
import type { ComputeMemory } from './memory.js';
import type { Partial, SlotAdd } from './partials.js';
import { TapeStore } from './tape-store.js';
import type { TapeRef } from './team.js';
import { ThreadSpace } from './thread-space.js';
import {
  type Block,
  blocksOf,
  groupsOf,
  innerMatrices,
  pieces,
  type Slice,
  type Stretch,
  stretchesOf,
} from './update-parts.js';

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
  /** What is added to gradients, and the seed of the run. */
  readonly noise?: GradientNoise & { readonly seed: number };
  /** Byte offset of what `sumSquares` makes of the gradient's blocks: two numbers for each of `guardFloats`. */
  readonly norms: number;
}

/** Numbers that show whether a step's sums are finite: one for each block of the gradient, and one for the metrics. */
export function guardFloats({ parameters }: Pick<Plan, 'parameters'>): number {
  return blocksOf(parameters).length + 1;
}

/** Byte offset of these numbers. */
export function guardOf(plan: Plan, { norms }: Pick<Updater, 'norms'>): number {
  return norms + guardFloats(plan) * 4;
}

/** Writes the tapes of one thread: its share of a step's samples, and its slice of the additions and of the update. */
export class StepCompiler {
  readonly space: ThreadSpace;
  private readonly tapes: TapeStore;
  private readonly blocks: readonly Block[];

  constructor(private readonly place: RunPlace) {
    this.blocks = blocksOf(place.plan.parameters);
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
  add(adds: readonly SlotAdd[], slice: Stretch): TapeRef {
    return this.tapes.get(`add ${describe(adds, slice)}`, (tape) => emitAdds(tape, adds, slice));
  }

  /**
   * Additions on one slice of the vector, what regularisation adds to them, and how long the result is: block by block,
   * so that what was just added up is in the cache. The last slice looks at the metric sums as well.
   */
  finish(adds: readonly SlotAdd[], root: number, slice: Slice, { norms }: Updater): TapeRef {
    const { plan, weights } = this.place;
    const guard = guardOf(plan, { norms });
    return this.tapes.get(`finish ${root} ${describe(adds, slice)}`, (tape) => {
      const squares = (from: number, n: number, block: number): void => {
        tape.emit('sumSquares', { a: root + from * 4, out: norms + block * 4, large: guard + block * 4, n });
      };
      for (const group of groupsOf(this.blocks, slice)) {
        emitAdds(tape, adds, group);
        for (const { parameter, block, from, to } of pieces(this.blocks, group)) {
          const { l1 = 0, l2 = 0 } = parameter.regularizer ?? {};
          const place = { gradient: root + from * 4, weights: weights + from * 4 };
          if (l1 > 0 || l2 > 0) tape.emit('addPenalty', { ...place, n: to - from, l1, l2 });
          squares(from, to - from, block);
        }
      }
      if (slice.to === plan.vectorFloats)
        squares(plan.parameterFloats, plan.metrics.length, this.blocks.length);
    });
  }

  /**
   * The update of a slice of the weights, when all of the sum is there.
   * @param matrices what this thread updates whole, wherever it lies, if the optimizer updates matrices so
   */
  update(root: number, slice: Slice, update: Updater, matrices: readonly PlannedParameter[] = []): TapeRef {
    const { plan, weights } = this.place;
    const { optimizer, state } = update;
    return this.tapes.get(`update ${root} ${slice.from} ${slice.to}`, (tape) => {
      this.emitAverages(tape, root, slice);
      const at = (from: number) => ({
        weights: weights + from * 4,
        gradient: root + from * 4,
        slots: state.map((vector) => vector + from * 4),
        scalars: this.space.scalars,
      });
      const trained = { from: slice.from, to: slice.from + this.trainedIn(slice) };
      const whole = optimizer.matrices === undefined ? [] : innerMatrices(plan);
      for (const part of stretchesOf(plan, trained, { hasDecay: optimizer.hasDecay, whole })) {
        const { from, to, isExempt } = part;
        this.emitClipping(tape, root, part, update);
        this.emitNoise(tape, root, part, update);
        optimizer.emit(tape, { ...at(from), n: to - from, isExempt });
      }
      if (optimizer.matrices === undefined) return;
      for (const { offset, size, shape } of matrices) {
        const all = { from: offset, to: offset + size };
        this.emitClipping(tape, root, all, update);
        this.emitNoise(tape, root, all, update);
        const cols = shape.at(-1) as number;
        const rows = size / cols;
        const scratch = this.space.matrices(optimizer.matrices.scratchFloats(rows, cols) * 4);
        optimizer.matrices.emit(tape, { ...at(offset), rows, cols, scratch });
      }
    });
  }

  private emitClipping(tape: Tape, root: number, { from, to }: Stretch, { clipping, norms }: Updater): void {
    if (clipping === undefined) return;
    const { blocks, place, space } = this;
    const { limit } = clipping;
    const [a, n] = [root + from * 4, to - from];
    if (clipping.by === 'value') {
      tape.emit('clampVector', { a, n, limit });
      return;
    }
    const shrink = (first: number, last: number, start: number, end: number): void => {
      const guard = guardOf(place.plan, { norms });
      tape.emit('treeTotal', { a: norms + first * 4, out: space.total, n: last - first });
      tape.emit('treeTotal', { a: guard + first * 4, out: space.total + 4, n: last - first });
      tape.emit('shrinkVector', { a: root + start * 4, total: space.total, n: end - start, limit });
    };
    if (clipping.by === 'globalNorm') {
      shrink(0, blocks.filter((block) => block.from < place.plan.trainedFloats).length, from, to);
      return;
    }
    for (const { name, offset, size } of place.plan.parameters) {
      const [start, end] = [Math.max(offset, from), Math.min(offset + size, to)];
      const isOf = ({ parameter }: Block): boolean => parameter.name === name;
      if (start < end) shrink(blocks.findIndex(isOf), blocks.findLastIndex(isOf) + 1, start, end);
    }
  }

  /**
   * Each parameter has noise of its own, so it shows nowhere how the vector is cut: borders are multiples of four
   * elements.
   */
  private emitNoise(tape: Tape, root: number, { from, to }: Stretch, { noise }: Updater): void {
    if (noise === undefined) return;
    const { eta, gamma: decay, seed } = noise;
    const course = { step: this.space.step, scale: squareRoot(eta), decay };
    for (const { name, offset, size } of this.place.plan.parameters) {
      const [start, end] = [Math.max(offset, from), Math.min(offset + size, to)];
      if (start >= end) continue;
      const place = { gradient: root + start * 4, n: end - start, first: start - offset };
      tape.emit('addGradientNoise', { ...place, ...course, ...keyOf('gradientNoise', seed, name) });
    }
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
  private trainedIn({ from, to }: Stretch): number {
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

function emitAdds(tape: Tape, adds: readonly SlotAdd[], slice: Stretch): void {
  const at = slice.from * 4;
  const n = slice.to - slice.from;
  for (const { out, a, b } of adds) tape.emit('addVectors', { out: out + at, a: a + at, b: b + at, n });
}

function describe(adds: readonly SlotAdd[], slice: Stretch): string {
  return `${slice.from} ${slice.to} ${adds.map(({ out, a, b }) => `${out},${a},${b}`).join(' ')}`;
}
