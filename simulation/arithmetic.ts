import type { Tensor } from '../shared/files/tensors.js';
import { rootLevel, type TreeNode } from '../shared/reduction/tree.js';

/*
 * The arithmetic of simulations: a sum is a hash of the terms in the order in which they were added. A leaf that is missing,
 * counted twice, of another step, of other weights or in another place therefore gives another result. A term that is not
 * finite makes the sum not finite, as in floating-point arithmetic.
 */

/** Weights before the first step. */
export const INITIAL_WEIGHTS = 0x5eed;
/** Stands for the evaluation set. */
const LOSS = 0x1055;
/** Stands for the rounding of a partial sum by a codec. */
const ROUNDING = 0xc0dec;
/** What rounding has taken from gradients before the first step. */
export const INITIAL_RESIDUAL = 0x4e51;

/** A codec, as far as it decides which sums are rounded. */
export interface VirtualCodec {
  /** Undefined with local updates: the result of each replica is rounded, and no sum of results. */
  readonly shardLevel: number | undefined;
  /** What rounding takes from the gradient of a step is added to that of the next one. */
  readonly keepsResidual: boolean;
}

/** A partial sum as it is exchanged, rounded. */
export function rounded(sum: number): number {
  return mix(sum, ROUNDING);
}

/** Hashes two numbers into one; not symmetric. All are unsigned 32-bit integers, unless one of the two is not finite. */
export function mix(a: number, b: number): number {
  if (!Number.isFinite(a + b)) return a + b;
  let word = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** The addition of one half of the bits of two sums: the upper one, or the lower one. */
export function addedHalf(half: number, a: number, b: number): number {
  const sum = mix(a, b);
  if (!Number.isFinite(sum)) return sum;
  return half === 0 ? sum >>> 16 : sum & 0xffff;
}

/** The sum of two sums. Halves are added apart from each other, as elements of vectors are: they are its segments. */
export function added(a: number, b: number): number {
  if (!Number.isFinite(a + b)) return a + b;
  return ((addedHalf(0, a >>> 16, b >>> 16) << 16) | addedHalf(1, a & 0xffff, b & 0xffff)) >>> 0;
}

/** The sum of a node of the reduction tree, by the definition of the tree. */
function canonicalSum(weights: number, step: number, { level, index }: TreeNode, leaves: number): number {
  if (level === 0) return mix(mix(weights, step), index);
  const left = canonicalSum(weights, step, { level: level - 1, index: 2 * index }, leaves);
  const right = { level: level - 1, index: 2 * index + 1 };
  if (right.index * 2 ** right.level >= leaves) return left;
  return added(left, canonicalSum(weights, step, right, leaves));
}

/** The sum of a node as it is exchanged, or of the root as it is before its own rounding, by the definition of shards. */
export function exchangedSum(
  weights: number,
  step: number,
  node: TreeNode,
  leaves: number,
  codec: VirtualCodec | undefined,
): number {
  if (codec === undefined) return canonicalSum(weights, step, node, leaves);
  const { level, index } = node;
  const { shardLevel } = codec;
  if (level <= (shardLevel ?? 0)) return rounded(canonicalSum(weights, step, node, leaves));
  const left = exchangedSum(weights, step, { level: level - 1, index: 2 * index }, leaves, codec);
  const right = { level: level - 1, index: 2 * index + 1 };
  if (right.index * 2 ** right.level >= leaves) return left;
  const sum = added(left, exchangedSum(weights, step, right, leaves, codec));
  return shardLevel === undefined || level === rootLevel(leaves) ? sum : rounded(sum);
}

/** What a step changes: the update that every machine applies to its weights, and the residual after it. */
export function updateOf(
  root: number,
  residual: number,
  codec: VirtualCodec | undefined,
): { readonly update: number; readonly residual: number } {
  if (codec === undefined) return { update: root, residual };
  const update = rounded(codec.keepsResidual ? mix(root, residual) : root);
  return { update, residual: codec.keepsResidual ? mix(residual, update) : residual };
}

/** The loss of an evaluation, from 0 to 1. */
export function lossOf(weights: number): number {
  return mix(weights, LOSS) / 2 ** 32;
}

/** When a run is evaluated that ends with its best weights, and after how many evaluations without improvement it stops. */
export interface BestPolicy {
  readonly evaluateEvery: number;
  readonly patience: number;
}

/** How a run without faults ends. */
export interface ReferenceRun {
  readonly weights: number;
  readonly reason: 'finished' | 'stopped';
}

/** A run without faults. @param best left out: it ends with its last weights */
export function referenceRun(
  steps: number,
  leavesOf: (step: number) => number,
  best?: BestPolicy,
  codec?: VirtualCodec,
): ReferenceRun {
  let weights = INITIAL_WEIGHTS;
  let residual = INITIAL_RESIDUAL;
  let kept = { weights, loss: Number.POSITIVE_INFINITY };
  let waited = 0;
  for (let step = 0; step < steps; step++) {
    const leaves = leavesOf(step);
    const root = exchangedSum(weights, step, { level: rootLevel(leaves), index: 0 }, leaves, codec);
    const next = updateOf(root, residual, codec);
    weights = mix(weights, next.update);
    residual = next.residual;
    const done = step + 1;
    if (best === undefined || (done % best.evaluateEvery !== 0 && done !== steps)) continue;
    const loss = lossOf(weights);
    waited = loss < kept.loss ? 0 : waited + 1;
    if (loss < kept.loss) kept = { weights, loss };
    if (waited === best.patience && done < steps) return { weights: kept.weights, reason: 'stopped' };
  }
  return { weights: best === undefined ? weights : kept.weights, reason: 'finished' };
}

/** Weights as a tensor that is exact: their upper and lower 16 bits. */
export function tensorOf(weights: number): Tensor {
  return { name: 'weights', shape: [2], values: Float32Array.of(weights >>> 16, weights & 0xffff) };
}

/** The weights that a tensor holds. */
export function weightsOf({ values: [high = 0, low = 0] }: Tensor): number {
  return ((high << 16) | low) >>> 0;
}

/** Weights as they are printed. */
export function hashText(weights: number): string {
  return weights.toString(16).padStart(8, '0');
}
