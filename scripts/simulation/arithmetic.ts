import type { Tensor } from '../../shared/files/tensors.js';
import { type Node, rootLevel } from '../../shared/sum/leaves.js';

/*
 * Arithmetic for simulations: a sum is a hash of what was added, in the order in which it was added. So a leaf that is
 * missing, counted twice, of another step, of other weights or in another place gives another result.
 */

/** Weights before the first step. */
export const FIRST_WEIGHTS = 0x5eed;

/** One number out of two; not symmetric. All are unsigned 32-bit integers. */
export function mix(a: number, b: number): number {
  let word = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** The sum that a node of the tree stands for, by the definition of the tree. */
export function canonicalSum(weights: number, step: number, { level, index }: Node, leaves: number): number {
  if (level === 0) return mix(mix(weights, step), index);
  const left = canonicalSum(weights, step, { level: level - 1, index: 2 * index }, leaves);
  const right = { level: level - 1, index: 2 * index + 1 };
  if (right.index * 2 ** right.level >= leaves) return left;
  return mix(left, canonicalSum(weights, step, right, leaves));
}

/** The weights that an undisturbed run ends with. */
export function undisturbed(steps: number, leavesOf: (step: number) => number): number {
  let weights = FIRST_WEIGHTS;
  for (let step = 0; step < steps; step++) {
    const leaves = leavesOf(step);
    weights = mix(weights, canonicalSum(weights, step, { level: rootLevel(leaves), index: 0 }, leaves));
  }
  return weights;
}

/** Weights as a tensor that is exact: its halves. */
export function tensorOf(weights: number): Tensor {
  return { name: 'weights', shape: [2], values: Float32Array.of(weights >>> 16, weights & 0xffff) };
}

/** The weights that a tensor stands for. */
export function weightsOf({ values: [high = 0, low = 0] }: Tensor): number {
  return ((high << 16) | low) >>> 0;
}

/** As it is printed. */
export function hashText(weights: number): string {
  return weights.toString(16).padStart(8, '0');
}
