import { stepPlace } from '../data/order.js';
import { assert } from '../errors.js';
import { leafCount, type Range, rootLevel, splitRange } from '../sum/leaves.js';
import type { StrideCourse } from './job.js';
import { type Partial, planAdds } from './partials.js';
import {
  type ComputeTape,
  guardFloats,
  guardOf,
  type RunPlace,
  StepCompiler,
  type Updater,
} from './step-compiler.js';
import { PLACE_WORDS, StepTable } from './step-table.js';
import { areFinite } from './stride.js';
import type { TapeRef, Team } from './team.js';
import { type Cut, cutBetween, evenStretches } from './update-parts.js';

/** Most steps in one stride: so long is the table of their places, scalars and metrics. */
export const STRIDE_STEPS_MAX = 512;

const NO_TAPE: TapeRef = { offset: 0, words: 0 };

/** The end of a step: two tapes for each thread, where the sum lies, and what shows whether it is finite. */
interface Finish {
  readonly tapes: readonly TapeRef[];
  readonly updates: readonly TapeRef[];
  readonly root: number;
  readonly guard: StrideCourse['guard'];
}

/** What steps came to. */
export interface Outcome<T> {
  readonly metrics: T;
  /** The step after those that were done has sums that are not finite. It has left the weights as they were. */
  readonly isBroken: boolean;
}

/** What decides which samples a step takes, and where a range of leaves may be cut. */
export interface RunShape {
  readonly batch: number;
  /** Leaves that are never split between threads. */
  readonly granule: number;
}

/** A range of leaves for some consecutive threads. */
export interface ThreadShare {
  readonly threads: Range;
  readonly leaves: Range;
}

/**
 * The threads of one machine at work on one run: they compute ranges of leaves, add what the tree adds, and update the
 * weights. Several nodes may share a crew, each with threads of its own.
 */
export class Crew {
  private readonly compilers: readonly StepCompiler[];
  private interruption = new AbortController();
  private strideTable: { table: StepTable; log: number } | undefined;
  private readonly cut: Cut;
  /** For each thread, the step whose partial sums lie in its slots, and how many slots they take. */
  private readonly slotsUsed: { step: number; count: number }[];

  constructor(
    private readonly team: Team,
    private readonly place: RunPlace,
    private readonly shape: RunShape,
    private readonly updater?: Updater,
  ) {
    this.compilers = Array.from({ length: team.threads }, () => new StepCompiler(place));
    this.cut = cutBetween(place.plan, team.threads);
    this.slotsUsed = this.compilers.map(() => ({ step: -1, count: 0 }));
  }

  /**
   * Forward and backward over a range of leaves, and every addition between the partial sums of the threads.
   * @returns the maximal aligned subtrees of the range; their vectors stay until the threads compute another step
   */
  async compute(step: number, { threads, leaves }: ThreadShare): Promise<Partial[]> {
    const { size } = stepPlace(step, this.place.data.manifest.samples, this.shape.batch);
    const parts = this.computeTapes(step, { threads, leaves }, size);
    const count = threads.to - threads.from;
    const tapes = Array.from({ length: count }, (_, i) => parts.get(threads.from + i)?.tape);
    await this.team.run(tapes, threads.from);
    const partials = [...parts.values()].flatMap((part) => part.partials);
    const { adds, tops } = planAdds(partials, leafCount(size, this.place.leafSize));
    if (adds.length > 0) {
      const slices = evenStretches(this.place.plan.vectorFloats, count);
      const tapes = slices.map((slice, i) => this.compiler(threads.from + i).add(adds, slice));
      await this.team.run(tapes, threads.from);
    }
    return tops;
  }

  /**
   * The end of a step: adds all partial sums up and updates the weights with the root, on all threads.
   * @param scalars the optimizer's, of this step
   * @returns the metric sums of the batch; where the sums are not finite, no weight was touched
   */
  async finish(
    step: number,
    partials: readonly Partial[],
    scalars: readonly number[],
  ): Promise<Outcome<number[]>> {
    const { size } = stepPlace(step, this.place.data.manifest.samples, this.shape.batch);
    const { tapes, updates, root, guard } = this.finishTapes(partials, size);
    for (const [thread, { space }] of this.compilers.entries()) {
      // Noise asks for the step, also on threads that computed nothing of it.
      if (this.updater?.noise !== undefined) this.point(thread, step);
      this.place.memory.f32(space.scalars, scalars.length).set(scalars);
    }
    await this.team.run(tapes);
    const isBroken = !this.areFinite(guard);
    if (!isBroken) await this.team.run(updates);
    return { metrics: this.metricsAt(root), isBroken };
  }

  /**
   * Whole steps on all threads, without the event loop in between. All steps must have the same batch size and lie in
   * one epoch.
   *
   * @param shares who computes which leaves; together all of the batch
   * @param scalars the optimizer's, one list for each step, at most STRIDE_STEPS_MAX
   * @returns the metric sums of each step that was done: fewer than asked for after an interruption, or where the sums
   * of the next one are not finite
   */
  async stride(
    step: number,
    shares: readonly ThreadShare[],
    scalars: readonly (readonly number[])[],
  ): Promise<Outcome<number[][]>> {
    const { memory, plan, data } = this.place;
    const { size } = stepPlace(step, data.manifest.samples, this.shape.batch);
    const computing = new Map<number, ComputeTape>();
    for (const share of shares)
      for (const [thread, part] of this.computeTapes(step, share, size)) computing.set(thread, part);
    const finishing = this.finishTapes(
      [...computing.values()].flatMap(({ partials }) => partials),
      size,
    );
    const { table, log } = this.tableFor(scalars[0]?.length ?? 0);
    scalars.forEach((row, i) => {
      const { epoch, position } = stepPlace(step + i, data.manifest.samples, this.shape.batch);
      table.set(i, { order: data.order(epoch), position, step: step + i, scalars: row });
    });
    const floats = plan.metrics.length;
    this.interruption = new AbortController();
    const stride = {
      steps: scalars.length,
      table,
      metrics: { offset: finishing.root + plan.parameterFloats * 4, floats, log },
      guard: finishing.guard,
      shares: this.compilers.map(({ space: { cursor, scalars } }, thread) => ({
        compute: computing.get(thread)?.tape ?? NO_TAPE,
        finish: finishing.tapes[thread] as TapeRef,
        update: finishing.updates[thread] as TapeRef,
        cursor,
        scalars,
      })),
    };
    const done = await this.team.stride(stride, this.interruption.signal);
    return {
      metrics: Array.from({ length: done }, (_, i) => [...memory.f32(log + i * floats * 4, floats)]),
      isBroken: done < scalars.length && !this.areFinite(finishing.guard),
    };
  }

  /** Ends the stride under way after the step under way. */
  interrupt(): void {
    this.interruption.abort();
  }

  private finishTapes(partials: readonly Partial[], size: number): Finish {
    const { updater } = this;
    assert(updater !== undefined, 'a crew without an optimizer cannot finish a step');
    const leaves = leafCount(size, this.place.leafSize);
    const { adds, tops } = planAdds(partials, leaves);
    const [root] = tops;
    assert(
      tops.length === 1 && root?.node.level === rootLevel(leaves),
      'the partial sums do not cover the batch',
    );
    const { slices, matrices } = this.cut;
    return {
      tapes: slices.map((slice, i) => this.compiler(i).finish(adds, root.slot, slice, updater)),
      updates: slices.map((slice, i) => this.compiler(i).update(root.slot, slice, updater, matrices[i])),
      root: root.slot,
      guard: { offset: guardOf(this.place.plan, updater), floats: guardFloats(this.place.plan) },
    };
  }

  private areFinite(guard: StrideCourse['guard']): boolean {
    return areFinite(this.place.memory.i32(guard.offset, guard.floats), { ...guard, offset: 0 });
  }

  /** Cuts a share among its threads and writes their tapes. Threads that get nothing are left out. */
  private computeTapes(
    step: number,
    { threads, leaves }: ThreadShare,
    size: number,
  ): Map<number, ComputeTape> {
    const parts = new Map<number, ComputeTape>();
    splitRange(leaves, threads.to - threads.from, this.shape.granule).forEach((range, i) => {
      if (range.to === range.from) return;
      const thread = threads.from + i;
      const used = this.slotsUsed[thread] as { step: number; count: number };
      if (used.step !== step) Object.assign(used, { step, count: 0 });
      const part = this.compiler(thread).compute(range, size, used.count);
      used.count += part.partials.length;
      this.point(thread, step);
      parts.set(thread, part);
    });
    return parts;
  }

  /** Writes a step and where its samples begin into a thread's cursor. */
  private point(thread: number, step: number): void {
    const { memory, data } = this.place;
    const { epoch, position } = stepPlace(step, data.manifest.samples, this.shape.batch);
    memory.u32(this.compiler(thread).space.cursor, PLACE_WORDS).set([data.order(epoch), position, step]);
  }

  private tableFor(scalarCount: number): { table: StepTable; log: number } {
    const { memory, plan } = this.place;
    this.strideTable ??= {
      table: new StepTable(memory, STRIDE_STEPS_MAX, scalarCount),
      log: memory.allocate(STRIDE_STEPS_MAX * plan.metrics.length * 4, 'tables of steps'),
    };
    return this.strideTable;
  }

  private metricsAt(root: number): number[] {
    const { plan, memory } = this.place;
    return [...memory.f32(root + plan.parameterFloats * 4, plan.metrics.length)];
  }

  private compiler(thread: number): StepCompiler {
    return this.compilers[thread] as StepCompiler;
  }
}
