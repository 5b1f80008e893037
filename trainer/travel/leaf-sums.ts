import { mergePlan, nodeKey } from '../../shared/reduction/merge-plan.js';
import { maximalSubtrees, type TreeNode } from '../../shared/reduction/tree.js';

/** The sum of a batch from the sums of its leaves, in the order of the tree. */
export function sumOfLeaves(sums: readonly Float32Array[]): Float32Array {
  const leaves = sums.length;
  const nodes = sums.map((_, i) => maximalSubtrees({ from: i, to: i + 1 }, leaves)[0] as TreeNode);
  const { adds, tops } = mergePlan(nodes, leaves);
  const vectors = new Map<number, Float32Array>(
    nodes.map((node, i) => [nodeKey(node), (sums[i] as Float32Array).slice()]),
  );
  for (const { into, left, right } of adds) {
    const [a, b] = [left, right].map((node) => vectors.get(nodeKey(node))) as [Float32Array, Float32Array];
    // A sum of two float32 in double precision, rounded once, is the float32 sum.
    for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) + (b[i] as number);
    vectors.set(nodeKey(into), a);
  }
  return vectors.get(nodeKey(tops[0] as TreeNode)) as Float32Array;
}
