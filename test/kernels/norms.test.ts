import { beforeAll, describe, expect, it } from 'vitest';
import { fma } from './exact-fma.js';
import { treeOf } from './reference-products.js';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

/** Norms to the last bit: the order of operations, and that splitting a vector between blocks does not change it. */

const BLOCK = 1024;

/** Sixteen lanes over each block, summed by 8+8, 4+4, 2+2, 1+1. */
function referenceSumSquares(a: Float32Array): number[] {
  return Array.from({ length: Math.ceil(a.length / BLOCK) }, (_, b) => {
    const lanes: number[] = Array(16).fill(0);
    a.subarray(b * BLOCK, (b + 1) * BLOCK).forEach((x, i) => {
      lanes[i % 16] = fma(x, x, lanes[i % 16]!);
    });
    for (let half = 8; half > 0; half >>= 1) {
      for (let l = 0; l < half; l++) lanes[l] = Math.fround(lanes[l]! + lanes[l + half]!);
    }
    return lanes[0]!;
  });
}

describe.each(buildNames())('norms on %s', (build) => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await Workbench.open(build);
  });

  it.each([1, 16, 1023, 1024, 1025, 5000])('sum the squares of %i elements block by block', (n) => {
    const numbers = new Numbers(n).floats(n);
    bench.clear();
    const a = bench.put(numbers);
    const blocks = Math.ceil(n / BLOCK);
    const [whole, split] = [bench.reserve(blocks), bench.reserve(blocks)];
    bench.run('sumSquares', { a, out: whole, large: bench.reserve(blocks), n });
    const reference = referenceSumSquares(numbers);
    expect([...bench.floats(whole, blocks)]).toEqual(reference);
    for (let b = 0; b < blocks; b++) {
      const rest = Math.min(n - b * BLOCK, BLOCK);
      bench.run('sumSquares', { a: a + b * BLOCK * 4, out: split + b * 4, large: bench.reserve(1), n: rest });
    }
    expect(bitsOf(bench.floats(split, blocks))).toEqual(bitsOf(bench.floats(whole, blocks)));
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 13, 1000, 1024])('total %i elements by the tree', (n) => {
    const numbers = new Numbers(n).floats(n);
    bench.clear();
    const out = bench.reserve(1);
    bench.run('treeTotal', { a: bench.put(numbers), out, n });
    expect(bench.floats(out, 1)[0]).toBe(treeOf([...numbers]));
  });
});
