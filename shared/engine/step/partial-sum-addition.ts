import { assert } from '../../errors.js';
import { mergePlan, nodeKey } from '../../reduction/merge-plan.js';
import { rootLevel, type TreeNode } from '../../reduction/tree.js';
import type { EncodedVector } from './sum-codec.js';

/** A partial sum in memory: a node of the tree, and the byte offset of its vector, or of what it is encoded to. */
export interface PartialSum {
  readonly node: TreeNode;
  readonly buffer: number;
}

/** One addition of whole vectors: out = a + b, as byte offsets. `out` may be `a`. */
export interface BufferAdd {
  readonly out: number;
  readonly a: number;
  readonly b: number;
}

/** What is done with whole vectors on the way to a sum, in this order; a run without a codec only adds. */
export interface Reduction {
  readonly decodes: readonly EncodedVector[];
  readonly steps: readonly (BufferAdd | { readonly quantize: number })[];
  readonly encodes: readonly EncodedVector[];
}

/**
 * The additions of the tree that are possible between partial sums, as additions of vectors. Each sum overwrites its left
 * operand.
 *
 * @param leaves leaves of the batch
 * @returns the additions in an order in which they can run, and the partial sums that are left after them
 */
export function planAdds(
  partialSums: readonly PartialSum[],
  leaves: number,
): { adds: BufferAdd[]; tops: PartialSum[] } {
  const { additions, tops } = planAdditions(partialSums, leaves);
  return { adds: additions.map(({ add }) => add), tops };
}

/** The reduction of partial sums that are vectors, without a codec. */
export function planReduction(
  partialSums: readonly PartialSum[],
  leaves: number,
): { reduction: Reduction; tops: PartialSum[] } {
  const { adds, tops } = planAdds(partialSums, leaves);
  return { reduction: { decodes: [], steps: adds, encodes: [] }, tops };
}

/**
 * The reduction of shards to the partial sums that are exchanged, with a codec.
 * @param encodedAt where a vector's codes go
 * @returns the reduction, and the encoded partial sums: never the root, unless it is the only shard
 */
export function planExchange(
  shards: readonly PartialSum[],
  leaves: number,
  encodedAt: (vector: number) => number,
): { reduction: Reduction; tops: PartialSum[] } {
  const all = planAdditions(shards, leaves);
  const root = all.additions.find(({ into }) => into.level === rootLevel(leaves));
  const additions = all.additions.filter((addition) => addition !== root);
  const tops = root === undefined ? all.tops : [root.left, root.right];
  const encodes = tops.map(({ buffer }) => ({ vector: buffer, encoded: encodedAt(buffer) }));
  return {
    reduction: {
      decodes: [],
      steps: additions.flatMap(({ add }) => [{ quantize: add.a }, { quantize: add.b }, add]),
      encodes,
    },
    tops: tops.map(({ node }, i) => ({ node, buffer: (encodes[i] as EncodedVector).encoded })),
  };
}

/** The reduction of all shards of a batch to the root, with a codec. The root itself is not quantised. */
export function planRoot(
  shards: readonly PartialSum[],
  leaves: number,
): { reduction: Reduction; tops: PartialSum[] } {
  const { additions, tops } = planAdditions(shards, leaves);
  const steps = additions.flatMap(({ add }) => [{ quantize: add.a }, { quantize: add.b }, add]);
  const only = shards.length === 1 ? shards.map(({ buffer }) => ({ quantize: buffer })) : [];
  return { reduction: { decodes: [], steps: [...only, ...steps], encodes: [] }, tops };
}

/**
 * The reduction of encoded partial sums to the root. They are decoded first; the sums of them are quantised, but not the
 * root.
 * @param vectors where they are decoded to
 */
export function planDecodedRoot(
  partialSums: readonly PartialSum[],
  leaves: number,
  vectors: readonly number[],
): { reduction: Reduction; tops: PartialSum[] } {
  const decodes = partialSums.map(({ buffer }, i) => ({ vector: vectors[i] as number, encoded: buffer }));
  const decoded = partialSums.map(({ node }, i) => ({ node, buffer: vectors[i] as number }));
  const { additions, tops } = planAdditions(decoded, leaves);
  const isDecoded = ({ node }: PartialSum): boolean =>
    partialSums.some((one) => nodeKey(one.node) === nodeKey(node));
  const steps = additions.flatMap(({ add, left, right }) => [
    ...[left, right].filter((one) => !isDecoded(one)).map(({ buffer }) => ({ quantize: buffer })),
    add,
  ]);
  return { reduction: { decodes, steps, encodes: [] }, tops };
}

/**
 * The reduction of encoded partial sums to those that are exchanged of all of them together: sums are encoded again, in the
 * place of their first one; what nothing is added to stays as it is.
 * @param vectors where they are decoded to
 */
export function planDecodedExchange(
  partialSums: readonly PartialSum[],
  leaves: number,
  vectors: readonly number[],
): { reduction: Reduction; tops: PartialSum[] } {
  const encodedOf = new Map(partialSums.map(({ buffer }, i) => [vectors[i] as number, buffer]));
  const decoded = partialSums.map(({ node }, i) => ({ node, buffer: vectors[i] as number }));
  const all = planAdditions(decoded, leaves);
  const root = all.additions.find(({ into }) => into.level === rootLevel(leaves));
  const additions = all.additions.filter((addition) => addition !== root);
  const sums = new Set(additions.map(({ into }) => nodeKey(into)));
  const isSum = ({ node }: PartialSum): boolean => sums.has(nodeKey(node));
  const tops = root === undefined ? all.tops : [root.left, root.right];
  return {
    reduction: {
      decodes: decoded.map(({ buffer }) => ({
        vector: buffer,
        encoded: encodedOf.get(buffer) as number,
      })),
      steps: additions.flatMap(({ left, right, add }) => [
        ...[left, right].filter(isSum).map(({ buffer }) => ({ quantize: buffer })),
        add,
      ]),
      encodes: tops
        .filter(isSum)
        .map(({ buffer }) => ({ vector: buffer, encoded: encodedOf.get(buffer) as number })),
    },
    tops: tops.map(({ node, buffer }) => ({ node, buffer: encodedOf.get(buffer) as number })),
  };
}

/** Where a term of an addition lies, or where its result goes, for a segment of vectors. */
export type SegmentPlaceInMemory =
  /** At the segment's place in the vector at this byte offset. */
  | { readonly vector: number }
  /** In room for one segment: the first, the second, and so on. */
  | { readonly room: number };

/** One addition of a segment of vectors: out = a + b, or a copy of `a`. `out` may be `a`. */
export interface SegmentAdd {
  readonly out: SegmentPlaceInMemory;
  readonly a: SegmentPlaceInMemory;
  readonly b?: SegmentPlaceInMemory;
}

/**
 * The additions of the tree that are possible between partial sums, for one segment of them, with the results elsewhere: the partial
 * sums stay as they are. What nothing is added to is copied.
 * @param results where the vectors of the results lie, in leaf order of their nodes
 * @returns the additions in an order in which they can run, and for how many segments they need room
 * @throws AssertionError when there are more or fewer results
 */
export function planSegmentAdds(
  partialSums: readonly PartialSum[],
  leaves: number,
  results: readonly number[],
): { readonly adds: readonly SegmentAdd[]; readonly rooms: number } {
  const merge = mergePlan(
    partialSums.map(({ node }) => node),
    leaves,
  );
  assert(merge.tops.length === results.length, 'partial sums add up to as many as are exchanged of them');
  const buffers = new Map(partialSums.map(({ node, buffer }) => [nodeKey(node), buffer]));
  const sums = new Map(merge.adds.map((add) => [nodeKey(add.into), add]));
  const adds: SegmentAdd[] = [];
  let rooms = 0;
  /** Computes a node, if it is not there from the start. @param room the first that is free @returns where it is */
  const compute = (node: TreeNode, out: SegmentPlaceInMemory, room: number): SegmentPlaceInMemory => {
    const sum = sums.get(nodeKey(node));
    if (sum === undefined) return { vector: buffers.get(nodeKey(node)) as number };
    const a = compute(sum.left, out, room);
    const b = compute(sum.right, { room }, room + 1);
    if ('room' in b) rooms = Math.max(rooms, room + 1);
    adds.push({ out, a, b });
    return out;
  };
  for (const [i, top] of merge.tops.entries()) {
    const out = { vector: results[i] as number };
    const at = compute(top, out, 0);
    if (at !== out) adds.push({ out, a: at });
  }
  return { adds, rooms };
}

/** An addition of the tree, and the partial sums that it adds. */
interface Addition {
  readonly into: TreeNode;
  readonly left: PartialSum;
  readonly right: PartialSum;
  readonly add: BufferAdd;
}

function planAdditions(
  partialSums: readonly PartialSum[],
  leaves: number,
): { additions: Addition[]; tops: PartialSum[] } {
  const merge = mergePlan(
    partialSums.map(({ node }) => node),
    leaves,
  );
  const buffers = new Map(partialSums.map(({ node, buffer }) => [nodeKey(node), buffer]));
  const sumOf = (node: TreeNode): PartialSum => ({ node, buffer: buffers.get(nodeKey(node)) as number });
  const additions = merge.adds.map(({ into, left, right }) => {
    const [a, b] = [sumOf(left), sumOf(right)];
    buffers.set(nodeKey(into), a.buffer);
    return { into, left: a, right: b, add: { out: a.buffer, a: a.buffer, b: b.buffer } };
  });
  return { additions, tops: merge.tops.map(sumOf) };
}

/** Byte offset of the root's vector. @throws AssertionError when the partial sums do not cover the batch */
export function rootOf(tops: readonly PartialSum[], leaves: number): number {
  const [root] = tops;
  assert(
    tops.length === 1 && root?.node.level === rootLevel(leaves),
    'the partial sums do not cover the batch',
  );
  return root.buffer;
}
