import { describe, expect, it } from 'vitest';
import { fma, fmaByIntegers } from './exact-fma.js';
import {
  referenceMatmul,
  referenceMatmulTransposedB,
  referenceTreeMatmulTransposedA,
  referenceTreeSumRows,
} from './reference-products.js';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

/** [rows, inner, cols]: ones, primes, tails of every vector and tile, and both sides of the limit of every block. */
const SHAPES = [
  [1, 1, 1],
  [1, 5, 10],
  [2, 3, 4],
  [3, 17, 7],
  [5, 16, 16],
  [6, 31, 17],
  [7, 13, 31],
  [13, 10, 33],
  [14, 64, 32],
  [15, 7, 47],
  [17, 40, 65],
  [29, 23, 100],
  [32, 97, 10],
  [33, 11, 64],
  [57, 5, 40],
  [64, 130, 13],
  [113, 3, 35],
  [3, 265, 3],
  [9, 600, 34],
  [2, 20, 550],
  [4, 6000, 2],
] as const;

/** [rows, m, n, leafRows]: full and partial leaves, trees of every shape up to nine leaves, panels of every width. */
const TREES = [
  [1, 1, 1, 1],
  [2, 3, 5, 1],
  [3, 1, 10, 1],
  [5, 7, 33, 2],
  [7, 6, 16, 1],
  [9, 13, 17, 1],
  [12, 14, 32, 5],
  [33, 15, 31, 4],
  [64, 29, 10, 16],
  [70, 16, 65, 16],
  [100, 5, 3, 100],
  [5, 30, 40, 1000],
  [6000, 2, 3, 32],
  [5700, 3, 34, 5000],
] as const;

const KINDS = {
  ordinary: (numbers: Numbers, count: number) => numbers.floats(count),
  tiny: (numbers: Numbers, count: number) => numbers.floats(count, 2 ** -75),
  huge: (numbers: Numbers, count: number) => numbers.floats(count, 2 ** 62),
  wild: (numbers: Numbers, count: number) => numbers.wild(count),
};

describe('the references of fma', () => {
  it('agree with each other', () => {
    const numbers = new Numbers(1);
    for (let i = 0; i < 20; i++) {
      const [a, b, c] = [numbers.wild(100), numbers.wild(100), numbers.wild(100)];
      for (let j = 0; j < 100; j++) {
        // For every other j c nearly cancels the product, where a second rounding would be visible.
        const third = j % 2 ? c[j]! : Math.fround(-a[j]! * b[j]! * (1 + numbers.next() * 2 ** -23));
        if (!Number.isFinite(third)) continue;
        expect(fma(a[j]!, b[j]!, third)).toBe(fmaByIntegers(a[j]!, b[j]!, third));
      }
    }
  });
});

/**
 * Sums a*b + c that are exactly half way between two floats, or off by less than the precision of a double, on either side;
 * of many magnitudes, also where floats have fewer bits.
 */
function nearlyHalfWay(): { a: number; b: number; c: number }[] {
  const cases: { a: number; b: number; c: number }[] = [];
  for (const exponent of [-149, -148, -140, -127, -126, -125, -30, 0, 90]) {
    // c is an odd or even multiple of 2^exponent; a*b is half of 2^exponent, a little more or a little less.
    for (const steps of [1, 2, 3, 1023, 1024, 2 ** 23 + 1, 2 ** 24 - 1, 2 ** 24 - 2]) {
      const c = steps * 2 ** exponent;
      if (Math.fround(c) !== c) continue;
      const [down, up] = [2 ** Math.floor((exponent - 1) / 2), 2 ** Math.ceil((exponent - 1) / 2)];
      const [e, f] = [2 ** -15, 2 ** -23];
      // (1 + e)(1 - e) = 1 - 2^-30, (1 + f)(1 + f) = 1 + 2^-22 + 2^-46, and so on.
      for (const [x, y] of [
        [1, 1],
        [1 + e, 1 - e],
        [1 + f, 1 - f],
        [1 + f, 1 + f],
        [1, 1 + f],
        [1, 1 - f],
      ] as const) {
        for (const sign of [1, -1]) {
          cases.push({ a: x * down, b: y * up, c: sign * c }, { a: -x * down, b: y * up, c: sign * c });
        }
      }
    }
  }
  return cases.filter(({ a, b }) => Math.fround(a) === a && Math.fround(b) === b);
}

for (const build of buildNames()) {
  describe(`products on ${build}`, () => {
    it('round a*b + c once where it nearly lies half way between two floats', async () => {
      const bench = await Workbench.open(build);
      const cases = nearlyHalfWay();
      // Rounding twice gives a wrong result in more than a hundred of these cases.
      const twice = cases.filter(({ a, b, c }) => Math.fround(a * b + c) !== fmaByIntegers(a, b, c));
      expect(twice.length).toBeGreaterThan(100);
      for (const { a, b, c } of cases) {
        bench.clear();
        const out = bench.reserve(1);
        const [left, right] = [bench.put(Float32Array.of(1, b)), bench.put(Float32Array.of(c, a))];
        bench.run('matmul', { a: left, b: right, bias: 0, out, rows: 1, inner: 2, cols: 1, activation: 0 });
        const expected = fmaByIntegers(a, b, c);
        if (bench.floats(out, 1)[0] !== expected)
          expect(`${a} * ${b} + ${c} = ${bench.floats(out, 1)[0]}`).toBe(expected);
      }
    });

    it('round a*b + c once for all kinds of numbers', async () => {
      const bench = await Workbench.open(build);
      const numbers = new Numbers(2);
      for (let round = 0; round < 40; round++) {
        bench.clear();
        const count = 96;
        const [a, c] = [numbers.wild(count), numbers.wild(count)];
        const b = numbers.wild(1)[0]!;
        for (let i = 0; i < count; i += 2) c[i] = -a[i]! * b * (1 + numbers.next() * 2 ** -23);
        for (const special of [0, -0, Infinity, -Infinity, NaN, 2 ** -149, 3.4028234663852886e38]) {
          a[Math.floor((numbers.next() + 1) * 48)] = special;
          c[Math.floor((numbers.next() + 1) * 48)] = special;
        }
        // [1, b] times [c; a] is the chain fma(b, a, fma(1, c, 0)).
        const out = bench.reserve(count);
        bench.run('matmul', {
          a: bench.put(Float32Array.of(1, b)),
          b: bench.put(Float32Array.from([...c, ...a])),
          bias: 0,
          out,
          rows: 1,
          inner: 2,
          cols: count,
          activation: 0,
        });
        const want = Float32Array.from(c, (addend, i) => fma(a[i]!, b, fma(1, addend, 0)));
        expect(bitsOf(bench.floats(out, count))).toEqual(bitsOf(want));
      }
    });

    for (const [kind, make] of Object.entries(KINDS)) {
      it(`equal the reference bit for bit on ${kind} numbers`, async () => {
        const bench = await Workbench.open(build);
        const numbers = new Numbers(3);
        for (const [rows, inner, cols] of SHAPES) {
          bench.clear();
          const [a, b, bias] = [
            make(numbers, rows * inner),
            make(numbers, inner * cols),
            make(numbers, cols),
          ];
          const shape = { rows, inner, cols };
          const [atA, atB] = [bench.put(a), bench.put(b)];
          const [plain, dense, transposed] = [0, 1, 2].map(() => bench.reserve(rows * cols)) as [
            number,
            number,
            number,
          ];
          bench.run('matmul', { a: atA, b: atB, bias: 0, out: plain, ...shape, activation: 0 });
          bench.run('matmul', { a: atA, b: atB, bias: bench.put(bias), out: dense, ...shape, activation: 1 });
          bench.run('matmulTransposedB', { a: atA, b: atB, out: transposed, ...shape });
          const size = [rows, inner, cols] as const;
          const name = size.join('x');
          expect(bitsOf(bench.floats(plain, rows * cols)), name).toEqual(
            bitsOf(referenceMatmul(a, b, undefined, size, false)),
          );
          expect(bitsOf(bench.floats(dense, rows * cols)), `${name} with bias and relu`).toEqual(
            bitsOf(referenceMatmul(a, b, bias, size, true)),
          );
          expect(bitsOf(bench.floats(transposed, rows * cols)), `${name} transposed`).toEqual(
            bitsOf(referenceMatmulTransposedB(a, b, size)),
          );
        }
      });

      it(`equal the trees of the reference bit for bit on ${kind} numbers`, async () => {
        const bench = await Workbench.open(build);
        const numbers = new Numbers(4);
        for (const [rows, m, n, leafRows] of TREES) {
          bench.clear();
          const [a, b] = [make(numbers, rows * m), make(numbers, rows * n)];
          const [atA, atB] = [bench.put(a), bench.put(b)];
          const [weights, sums] = [bench.reserve(m * n), bench.reserve(n)];
          bench.run('treeMatmulTransposedA', { a: atA, b: atB, out: weights, rows, m, n, leafRows });
          bench.run('treeSumRows', { a: atB, out: sums, rows, n, leafRows });
          const name = [rows, m, n, leafRows].join(' ');
          expect(bitsOf(bench.floats(weights, m * n)), name).toEqual(
            bitsOf(referenceTreeMatmulTransposedA(a, b, [rows, m, n], leafRows)),
          );
          expect(bitsOf(bench.floats(sums, n)), name).toEqual(
            bitsOf(referenceTreeSumRows(b, rows, n, leafRows)),
          );
        }
      });
    }
  });
}
