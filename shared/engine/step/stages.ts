/*
 * The stages of a step on a machine whose weights arrive, and whose partial sums leave, in segments: forward begins when its
 * first weights are here, and gradients leave as backward completes them, last layers first. Stages are parts of the same
 * instructions in the same order, so they do not change any bit.
 */
import type { PlannedParameter } from '../../compiler/flat-vector.js';
import type { Plan } from '../../compiler/plan.js';
import { SEGMENT_BYTES, type VectorCut } from '../../reduction/segments.js';
import type { SumCodec } from './sum-codec.js';
import type { SumLayout } from './sum-layout.js';

/** A part of the instructions of training. */
export interface StagePlan {
  /** From the instruction `from` up to, and without, `to`. */
  readonly from: number;
  readonly to: number;
  /** Parameters that it reads for the first time. The last stage that needs any has those that no instruction reads, too. */
  readonly parameters: readonly PlannedParameter[];
  /** Names of the parts of a partial sum that it completes; see SumLayout. */
  readonly completes: readonly string[];
}

/** What the metric sums are called in a SumLayout. */
const METRICS = 'metrics';

/** What is needed and completed at each instruction. */
interface InstructionNeeds {
  readonly needs: readonly PlannedParameter[];
  readonly completes: readonly string[];
}

/**
 * The stages of a plan: a new one begins before an instruction that needs enough more weights, and after one with which
 * enough gradients are complete.
 * @param leastBytes bytes of weights or gradients for which another stage is worth while
 */
export function stagesOf(
  { training, parameters }: Pick<Plan, 'training' | 'parameters'>,
  leastBytes = SEGMENT_BYTES,
): StagePlan[] {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const unread = new Set(parameters);
  const events = training.map(({ parameters: names = [], gradientOf, isMetrics }): InstructionNeeds => {
    const needs = names
      .map((name) => byName.get(name))
      .filter((one) => one !== undefined && unread.delete(one));
    const completes = [...(gradientOf === undefined ? [] : [gradientOf]), ...(isMetrics ? [METRICS] : [])];
    return { needs: needs as PlannedParameter[], completes };
  });
  const bytesOf = (some: readonly (PlannedParameter | undefined)[]): number =>
    some.reduce((sum, one) => sum + 4 * (one?.size ?? 0), 0);
  const stages: StagePlan[] = [];
  let stage = { from: 0, parameters: [] as PlannedParameter[], completes: [] as string[] };
  const endAt = (to: number): void => {
    stages.push({ ...stage, to });
    stage = { from: to, parameters: [], completes: [] };
  };
  for (const [i, { needs, completes }] of events.entries()) {
    if (i > stage.from && bytesOf(needs) >= leastBytes) endAt(i);
    stage.parameters.push(...needs);
    stage.completes.push(...completes);
    if (bytesOf(stage.completes.map((name) => byName.get(name))) >= leastBytes && i + 1 < events.length)
      endAt(i + 1);
  }
  // What nobody reads is of no stage: it must be here before the step ends.
  stage.parameters.push(...unread);
  endAt(events.length);
  return stages;
}

/** The indices of the segments of weights that each stage needs, and no earlier one. */
export function segmentsNeeded(stages: readonly StagePlan[], cut: VectorCut): number[][] {
  return firstNeeds(
    cut,
    stages.map(({ parameters }) =>
      parameters.flatMap(({ offset, size }) => overlapping(cut, 4 * offset, 4 * (offset + size))),
    ),
  );
}

/**
 * The indices of the segments of an update that each stage needs, and no earlier one, in a run with a codec.
 * @param layout of encoded sums: parameters lie at the same places in an update
 */
export function updateSegmentsNeeded(
  stages: readonly StagePlan[],
  cut: VectorCut,
  { parts }: SumLayout,
  { scalarsAt, updateBytes }: Pick<SumCodec, 'scalarsAt' | 'updateBytes'>,
): number[][] {
  const places = new Map(parts.map(({ name, from, to }) => [name, { from: 4 * from, to: 4 * to }]));
  const scalars = overlapping(cut, scalarsAt, updateBytes);
  return firstNeeds(
    cut,
    stages.map(({ parameters }, i) => [
      ...(i === 0 ? scalars : []),
      ...parameters.flatMap(({ name }) => {
        const place = places.get(name);
        return place === undefined ? [] : overlapping(cut, place.from, place.to);
      }),
    ]),
  );
}

/** Each segment where it is needed first, in order; those that are not needed, at the end. */
function firstNeeds({ segments }: VectorCut, needs: readonly (readonly number[])[]): number[][] {
  const seen = new Set<number>();
  const needed = needs.map((own) =>
    [...new Set(own)].filter((index) => !seen.has(index) && seen.add(index)).sort((a, b) => a - b),
  );
  const rest = [...segments.keys()].filter((index) => !seen.has(index));
  return needed.map((own, i) => (i === needed.length - 1 ? [...own, ...rest] : own));
}

/** The indices of the segments of partial sums that are complete with each stage. */
export function segmentsCompleted(
  stages: readonly StagePlan[],
  cut: VectorCut,
  { parts }: SumLayout,
): number[][] {
  const last = stages.length - 1;
  const stageOf = new Map(stages.flatMap(({ completes }, i) => completes.map((name) => [name, i] as const)));
  const completeAt = cut.segments.map(() => 0);
  for (const { name, from, to } of parts)
    for (const index of overlapping(cut, 4 * from, 4 * to))
      completeAt[index] = Math.max(completeAt[index] as number, stageOf.get(name) ?? last);
  return stages.map((_, i) => completeAt.flatMap((at, index) => (at === i ? [index] : [])));
}

function overlapping({ segments }: VectorCut, from: number, to: number): number[] {
  return segments.flatMap(({ at, bytes }, index) => (at < to && at + bytes > from ? [index] : []));
}
