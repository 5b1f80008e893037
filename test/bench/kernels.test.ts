import { describe, expect, it } from 'vitest';
import { openWorkbench } from '../../scripts/bench/backends.js';
import { benchProduct } from '../../scripts/bench/kernel-bench.js';
import { emitProduct, operandFloats, PRODUCTS } from '../../scripts/bench/products.js';
import { systemClock } from '../../shared/actor/clock.js';
import { CommandBuffer } from '../../shared/kernels/command-buffer.js';

const SMALL = { rows: 3, inner: 4, cols: 5 };

describe('products', () => {
  it.each(['none', 'a', 'b'] as const)(
    'compute the described product, transposed: %s',
    async (transposed) => {
      const { memory, kernels } = await openWorkbench('wasm');
      const product = { name: 'small', ...SMALL, transposed };
      const floats = operandFloats(product);
      const [a, b, out] = [floats.a, floats.b, floats.out].map((n) => memory.allocate(n * 4)) as [
        number,
        number,
        number,
      ];
      // a[r, k] = r + 1 and b[k, c] = c + 1 in either memory order: every sum is inner * (r + 1) * (c + 1).
      const { rows, inner, cols } = SMALL;
      for (let k = 0; k < inner; k++) {
        const aOf = memory.f32(a, floats.a);
        const bOf = memory.f32(b, floats.b);
        for (let r = 0; r < rows; r++) aOf[transposed === 'a' ? k * rows + r : r * inner + k] = r + 1;
        for (let c = 0; c < cols; c++) bOf[transposed === 'b' ? c * inner + k : k * cols + c] = c + 1;
      }
      const commandBuffer = new CommandBuffer();
      emitProduct(commandBuffer, product, { a, b, out });
      const words = commandBuffer.words();
      const at = memory.allocate(words.byteLength);
      memory.i32(at, words.length).set(words);
      kernels.run(at, words.length);
      const expected = Array.from(
        { length: rows * cols },
        (_, i) => inner * (Math.floor(i / cols) + 1) * ((i % cols) + 1),
      );
      expect([...memory.f32(out, floats.out)]).toEqual(expected);
    },
  );

  it('are timed, and their rate follows from their size', async () => {
    const product = { name: 'small', ...SMALL, transposed: 'a', leafSize: 2 } as const;
    const [result] = await benchProduct(product, ['wasm'], undefined, { count: 2, ms: 1 }, systemClock);
    expect(result).toMatchObject({ workload: 'small', batch: 4, leafSize: 2, backend: 'wasm', workers: 1 });
    expect(result?.gflops).toBeCloseTo((2 * 3 * 4 * 5) / (result?.usPerStep as number) / 1000, 9);
    expect(result).not.toHaveProperty('ratio');
  });

  it('have distinct names', () => {
    expect(new Set(PRODUCTS.map(({ name }) => name)).size).toBe(PRODUCTS.length);
  });
});
