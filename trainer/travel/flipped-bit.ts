/*
 * Whether a single bit that was flipped in the sum of one leaf explains what a run has recorded. A bit of memory that
 * flips between two kernels leaves nothing else behind than wrong weights: so every such flip is tried, and the rest of
 * the step is computed again with it.
 */
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import { sumOfLeaves } from './leaf-sums.js';
import type { StepTracer } from './step-tracer.js';
import { floatBits, stateDifference, stateDifferences } from './value-difference.js';

/** Sums of different bits that are tried at most, each with one update of all weights. */
const UPDATES_MAX = 4096;

/** A flipped bit in the sum of a leaf. */
export interface FlippedBit {
  readonly leaf: number;
  /** 0 is the lowest bit of the float32. */
  readonly bit: number;
  /** As it should be, and as it was. */
  readonly values: readonly [number, number];
}

/** Flips that have the same effect, to the bit; each of them explains it. */
export interface FlipExplanation {
  readonly parameter: string;
  readonly index: number;
  readonly flips: readonly FlippedBit[];
}

/** The sum of all leaves of an element, by the tree. */
export function treeSum(values: readonly number[]): number {
  return sumOfLeaves(values.map((value) => Float32Array.of(value)))[0] ?? 0;
}

/** The flips in one element of the leaves' sums, by the bits of the total that each gives. */
function flipsByTotal(values: readonly number[]): Map<number, FlippedBit[]> {
  const right = floatBits(treeSum(values));
  const found = new Map<number, FlippedBit[]>();
  for (const [leaf, value] of values.entries())
    for (let bit = 0; bit < 32; bit++) {
      const flipped = new Float32Array(
        Uint32Array.of((floatBits(value) ^ (1 << bit)) >>> 0).buffer,
      )[0] as number;
      const total = floatBits(treeSum(values.map((one, i) => (i === leaf ? flipped : one))));
      if (total === right) continue;
      found.set(total, [...(found.get(total) ?? []), { leaf, bit, values: [value, flipped] }]);
    }
  return found;
}

/**
 * Looks for a flip in a gradient that turns a state into another within one step.
 * @param before the state before the step, which both runs have
 * @param sums of the leaves of the step
 * @param right the state after it
 * @param wrong the state that was recorded in its place
 */
export async function findFlippedGradient(
  tracer: StepTracer,
  before: SavedCheckpoint,
  sums: readonly Float32Array[],
  right: SavedCheckpoint,
  wrong: SavedCheckpoint,
): Promise<FlipExplanation | undefined> {
  const changed = stateDifferences(right, wrong);
  const [element] = changed;
  // An optimizer updates each weight by itself: a flip changes one, unless a norm clips all of them or matrices are rotated.
  if (element === undefined || changed.some(({ index, count }) => count !== 1 || index !== element.index))
    return undefined;
  const name = element.name.replace(/^optimizer vector \d+ of /, '');
  const place = tracer.plan.parameters.find((one) => one.name === name);
  if (place === undefined || place.isFrozen) return undefined;
  const at = place.offset + element.index;
  const totals = flipsByTotal(sums.map((sum) => sum[at] as number));
  const root = sumOfLeaves(sums);
  const leaves: LeafRange = { from: 0, to: sums.length };
  for (const [bits, flips] of [...totals].slice(0, UPDATES_MAX)) {
    tracer.load(before);
    const vector = root.slice();
    new Uint32Array(vector.buffer)[at] = bits;
    if ((await tracer.finish(before, [{ leaves, vector }])) === undefined) continue;
    if (
      stateDifference(tracer.vectors(), { parameters: wrong.parameters, buffers: wrong.buffers }) !==
      undefined
    )
      continue;
    return { parameter: name, index: element.index, flips };
  }
  return undefined;
}

/**
 * Looks for a flip in a metric sum that turns its mean into another.
 * @param metric place of the metric in the sums
 * @param meanOf the mean of a total
 */
export function findFlippedMetric(
  sums: readonly Float32Array[],
  metric: number,
  meanOf: (total: number) => number,
  wrong: number,
): readonly FlippedBit[] | undefined {
  for (const [bits, flips] of flipsByTotal(sums.map((sum) => sum[metric] as number))) {
    const total = new Float32Array(Uint32Array.of(bits).buffer)[0] as number;
    if (Object.is(meanOf(total), wrong)) return flips;
  }
  return undefined;
}
