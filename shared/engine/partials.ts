import type { Node } from '../sum/leaves.js';
import { mergePlan, nodeKey } from '../sum/merge.js';

/** A partial sum at rest: a node of the tree, and the byte offset of its vector. */
export interface Partial {
  readonly node: Node;
  readonly slot: number;
}

/** One addition of whole vectors: out = a + b, as byte offsets. `out` may be `a`. */
export interface SlotAdd {
  readonly out: number;
  readonly a: number;
  readonly b: number;
}

/**
 * The additions that the tree allows between partial sums, as additions of vectors in place: a sum is stored over its
 * left part.
 *
 * @param leaves leaves of the batch
 * @returns the additions in executable order, and the partial sums that there are after them
 */
export function planAdds(partials: readonly Partial[], leaves: number): { adds: SlotAdd[]; tops: Partial[] } {
  const merge = mergePlan(
    partials.map(({ node }) => node),
    leaves,
  );
  const slots = new Map(partials.map(({ node, slot }) => [nodeKey(node), slot]));
  const slotOf = (node: Node): number => slots.get(nodeKey(node)) as number;
  const adds = merge.adds.map(({ into, left, right }) => {
    const add = { out: slotOf(left), a: slotOf(left), b: slotOf(right) };
    slots.set(nodeKey(into), add.out);
    return add;
  });
  return { adds, tops: merge.tops.map((node) => ({ node, slot: slotOf(node) })) };
}
