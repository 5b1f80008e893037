import { expect, it } from 'vitest';
import { exchangedNodes, shardLevelOf, shardsOf } from '../../shared/reduction/shards.js';
import { nodeLeaves } from '../../shared/reduction/tree.js';

/** Leaves of a whole batch, and of the last one of an epoch, which may have any number of them up to that. */
const BATCHES = Array.from({ length: 70 }, (_, i) => i + 1);

it.each([
  ['shards', shardsOf],
  ['exchanged sums', exchangedNodes],
])('the %s of any batch are nodes of its tree, and cover each of its leaves once', (_what, nodesOf) => {
  for (const batch of BATCHES)
    for (let leaves = 1; leaves <= batch; leaves++) {
      let end = 0;
      for (const node of nodesOf({ from: 0, to: leaves }, leaves, shardLevelOf(batch))) {
        const { from, to } = nodeLeaves(node, leaves);
        expect(from, `${leaves} leaves of ${batch}`).toBe(end);
        end = to;
      }
      expect(end).toBe(leaves);
    }
});
