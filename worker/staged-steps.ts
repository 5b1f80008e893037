/* How a worker computes steps whose weights arrive, and whose partial sums leave, in segments. */
import type { Plan } from '../shared/compiler/plan.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import {
  segmentsCompleted,
  segmentsNeeded,
  stagesOf,
  updateSegmentsNeeded,
} from '../shared/engine/step/stages.js';
import type { StepExecutor } from '../shared/engine/step/step-executor.js';
import type { SumCodec } from '../shared/engine/step/sum-codec.js';
import type { SumLayout } from '../shared/engine/step/sum-layout.js';
import { sumCut, updateCut, weightCut } from '../shared/engine/step/vector-cuts.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import type { Arriving, Computation } from './executor.js';

/** A computation in stages, which are run in order. */
export interface StagedComputation {
  readonly stages: readonly Stage[];
  /** What all stages together come to; undefined: they were interrupted. */
  partialSums(): readonly PartialSum[] | undefined;
}

/** A part of a computation. */
export interface Stage {
  /** What must be here before it runs; undefined: everything that is expected. */
  needs(what: Arriving): readonly SegmentPlace[] | undefined;
  /** Applies the update to the weights that it reads. */
  applyUpdate(): Promise<void>;
  run(): Promise<void>;
  /** Segments of partial sums that it completes. */
  readonly completes: readonly number[];
}

/** Computes steps in stages: see shared/engine/step/stages.ts. */
export function stagedSteps(
  executor: StepExecutor,
  plan: Plan,
  layout: SumLayout,
  codec: SumCodec | undefined,
  threads: number,
): (computation: Computation) => StagedComputation {
  const plans = stagesOf(plan);
  const parts = plans.map(({ from, to, completes }) => ({ part: { from, to }, sums: new Set(completes) }));
  const names = plans.map(({ parameters }) => new Set(parameters.map(({ name }) => name)));
  const completed = segmentsCompleted(plans, sumCut(layout), layout);
  const isInParts = executor.updatesInParts;
  const placesOf = (segments: readonly (readonly number[])[]): readonly (readonly SegmentPlace[])[] =>
    segments.map((indices) => indices.map((index) => ({ vector: 0, index })));
  const needed = {
    weights: placesOf(segmentsNeeded(plans, weightCut(plan))),
    update: codec && isInParts && placesOf(updateSegmentsNeeded(plans, updateCut(codec), layout, codec)),
  };
  return ({ step, range }) => {
    let prepared: ReturnType<StepExecutor['prepare']> | undefined;
    // Not before the update is applied, which may set the threads' cursors to its own step.
    const prepare = (): NonNullable<typeof prepared> => {
      if (prepared !== undefined) return prepared;
      // Those of another range of the step have been sent, or are not owed any more.
      executor.releaseSums();
      prepared = executor.prepare(step, { threads: { from: 0, to: threads }, leaves: range }, parts);
      return prepared;
    };
    const stages = plans.map((_, i): Stage => {
      const isLast = i === plans.length - 1;
      return {
        // The optimizer's vectors are needed for updates only: before the step ends.
        needs: (what) => (isLast || !needed[what] ? undefined : needed[what][i]),
        applyUpdate: async () => {
          if (isInParts) await executor.applyUpdateOf(step - 1, names[i] as ReadonlySet<string>);
          else if (i === 0) await executor.applyUpdate(step - 1);
        },
        run: () => prepare().run(i),
        completes: completed[i] as readonly number[],
      };
    });
    return { stages, partialSums: () => prepared?.partialSums };
  };
}
