import { describe, expect, it } from 'vitest';
import {
  EXACT,
  MATH_KERNELS,
  type MathKernel,
  MEASURE_BYTES,
  measureErrors,
  valuesOf,
} from '../../scripts/dev/kernels/math-errors.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';

const stackTop = STATIC_BYTES + THREAD_BYTES;
const pages = Math.ceil((stackTop + MEASURE_BYTES) / 65536);
const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
const target = { memory, kernels: await loadKernels({ memory, backend: 'auto', stackTop }) };

/** Values where a double-precision function could lose digits, computed with 60 digits. */
const KNOWN: readonly (readonly [MathKernel, number, number])[] = [
  ['sine', 3.1415927410125732, -8.742278000372475e-8],
  ['cosine', 7.729178919452902e28, -1.6147697982476211e-9],
  ['cosine', 3.4028234663852886e38, 0.8530210398303042],
  ['errorFunction', 7.346839692639297e-40, 8.290020853164581e-40],
  ['errorFunction', 0.5, 0.5204998778130465],
  ['errorFunction', 2, 0.9953222650189527],
  ['errorFunction', 3.5, 0.9999992569016276],
  ['logarithm', 0.9999999403953552, -5.960464655174753e-8],
  ['logarithm', 1.0000001192092896, 1.1920928244535446e-7],
  ['tanhForward', 0.000244140625, 0.00024414062014936172],
  ['sigmoidForward', -90, 8.194012623990515e-40],
  ['exponential', -100.5, 2.256340135917036e-44],
];

describe('the mathematical functions', () => {
  it.each(KNOWN)('are compared with an exact %s(%f)', (kernel, x, y) => {
    expect(Math.abs(EXACT[kernel](x) / y - 1)).toBeLessThan(1e-14);
  });

  it.each(MATH_KERNELS)('%s is within 2 ulp over a sweep of all floats', (kernel) => {
    // A prime step covers every exponent and many fractions; scripts/dev/check-math.ts tests all 2^32 floats.
    const { worstUlp, at } = measureErrors(kernel, target, { first: 1, step: 9973 });
    expect(worstUlp, `at ${at}`).toBeLessThanOrEqual(2);
  });

  it.each(MATH_KERNELS)('%s is within 2 ulp at the ends of the format', (kernel) => {
    for (const magnitude of [
      0, 1, 0x7fffff, 0x800000, 0x3f7fffff, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000,
    ]) {
      for (const bits of [magnitude, magnitude + 2 ** 31]) {
        const { worstUlp } = measureErrors(kernel, target, { first: bits, step: 2 ** 32 });
        expect(worstUlp, `bits ${bits.toString(16)}`).toBeLessThanOrEqual(2);
      }
    }
  });

  it.each(MATH_KERNELS)('%s gives the same result in every lane and in a tail', (kernel) => {
    const inputs = Float32Array.from({ length: 37 }, (_, i) => (i % 2 ? -1 : 1) * 1.37 ** (i * 5 - 90));
    const together = valuesOf(kernel, target, inputs).slice();
    for (let i = 0; i < inputs.length; i++) {
      expect(valuesOf(kernel, target, inputs.slice(i, i + 1))[0]).toBe(together[i]);
    }
  });

  it('are measured so that an error of 3 ulp is detected', () => {
    const wrong = {
      memory,
      kernels: {
        ...target.kernels,
        run(offset: number, words: number) {
          target.kernels.run(offset, words);
          // This changes the inputs too, but they are not read any more.
          const all = new Int32Array(memory.buffer, stackTop, MEASURE_BYTES / 4);
          for (let i = 0; i < all.length; i++) all[i]! += 3;
        },
      },
    };
    expect(measureErrors('squareRoot', wrong, { first: 0x3f800000, step: 9973 }).worstUlp).toBeGreaterThan(2);
  });
});
