import { beforeAll, describe, expect, it } from 'vitest';
import { fma } from './exact-fma.js';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

/*
 * The documented order of operations of kernels, computed one rounding at a time, and kernels that must give the same
 * result, both to the last bit.
 */

const round = Math.fround;

/** The sum along a row in all kernels: sixteen lanes, then 8+8, 4+4, 2+2, 1+1. */
function rowSum(terms: readonly ((sum: number) => number)[]): number {
  const lanes: number[] = Array(16).fill(0);
  terms.forEach((add, i) => {
    lanes[i % 16] = add(lanes[i % 16]!);
  });
  for (let half = 8; half > 0; half >>= 1) {
    for (let l = 0; l < half; l++) lanes[l] = round(lanes[l]! + lanes[l + half]!);
  }
  return lanes[0]!;
}

describe.each(buildNames())('kernels on %s', (build) => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await Workbench.open(build);
  });

  it.each([1, 10, 16, 17, 33, 100])('sum rows of %i in sixteen lanes', (cols) => {
    const numbers = new Numbers(cols);
    const [y, targets] = [numbers.floats(cols), numbers.floats(cols)];
    const differences = y.map((x, i) => round(x - targets[i]!));
    bench.clear();
    const loss = bench.reserve(1);
    bench.run('meanSquaredErrorForward', {
      y: bench.put(y),
      targets: bench.put(targets),
      loss,
      rows: 1,
      cols,
    });
    const sum = rowSum(Array.from(differences, (d) => (before: number) => fma(d, d, before)));
    expect(bench.floats(loss, 1)[0]).toBe(round(sum / cols));
  });

  it('update with Adam as documented', () => {
    const n = 37;
    const numbers = new Numbers(3);
    const [w, g, m] = [numbers.floats(n), numbers.floats(n), numbers.floats(n, 0.1)];
    const v = numbers.floats(n, 0.01).map(Math.abs);
    const s = Float32Array.of(0.003, 0.9, 0.1, 0.999, 0.001, 250, 1e-7, 0.01);
    const mean = m.map((x, i) => fma(s[2]!, g[i]!, round(s[1]! * x)));
    const variance = v.map((x, i) => fma(round(s[4]! * g[i]!), g[i]!, round(s[3]! * x)));
    const updated = w.map((x, i) => {
      const divisor = round(round(Math.sqrt(round(variance[i]! * s[5]!))) + s[6]!);
      return fma(-s[0]!, round(mean[i]! / divisor), fma(-s[7]!, x, x));
    });
    bench.clear();
    const at = { weights: bench.put(w), gradient: bench.put(g), m: bench.put(m), v: bench.put(v) };
    bench.run('adamUpdate', { ...at, n, scalars: bench.put(s) });
    expect(bitsOf(bench.floats(at.m, n))).toEqual(bitsOf(mean));
    expect(bitsOf(bench.floats(at.v, n))).toEqual(bitsOf(variance));
    expect(bitsOf(bench.floats(at.weights, n))).toEqual(bitsOf(updated));
  });

  it('set tiny moving averages to 0, which would otherwise stay subnormal', () => {
    bench.clear();
    const m = Float32Array.of(2 ** -99.9, -(2 ** -99.9), 2 ** -98, -(2 ** -149), Number.NaN, 1);
    const n = m.length;
    const expected = [0, 0, Math.fround(0.9) * 2 ** -98, 0, Number.NaN, 0.9].map(round);
    const scalars = bench.put(Float32Array.of(0.003, 0.9, 0.1, 0.9, 0.1, 1, 1e-7, 0));
    const zeros = new Float32Array(n);
    const at = { weights: bench.put(zeros), gradient: bench.put(zeros), m: bench.put(m) };
    const v = bench.put(m);
    bench.run('adamUpdate', { ...at, v, n, scalars });
    expect(bench.floats(at.m, n)).toEqual(Float32Array.from(expected));
    expect(bench.floats(v, n)).toEqual(Float32Array.from(expected));
    const momentum = bench.put(m);
    bench.run('sgdUpdate', { ...at, momentum, n, scalars: bench.put(Float32Array.of(0.1, 0.9, 0, 0)) });
    expect(bench.floats(momentum, n)).toEqual(Float32Array.from(expected));
  });

  it.each([3, 10, 16, 40])('give the same loss for %i classes as labels and as one-hot vectors', (cols) => {
    const rows = 19;
    const labels = Int32Array.from({ length: rows }, (_, r) => (r * 7) % cols);
    bench.clear();
    const size = { rows, cols };
    const logits = bench.put(new Numbers(cols).floats(rows * cols, 5));
    const at = { labels: bench.put(labels), targets: bench.reserve(rows * cols) };
    bench.run('oneHot', { labels: at.labels, out: at.targets, ...size });
    const outputs = () => ({
      probabilities: bench.reserve(rows * cols),
      loss: bench.reserve(rows),
      correct: bench.reserve(rows),
    });
    const [sparse, dense] = [outputs(), outputs()];
    const plain = { smoothing: 0, ignored: -1 };
    const all = { ...size, ...plain, counted: 0 };
    bench.run('softmaxCrossEntropySparseForward', { logits, labels: at.labels, ...sparse, ...all });
    bench.run('softmaxCrossEntropyForward', { logits, targets: at.targets, ...dense, ...size });
    const softmax = bench.reserve(rows * cols);
    bench.run('softmaxForward', { x: logits, y: softmax, ...size });
    const read = ({ probabilities, loss, correct }: typeof sparse) => [
      bitsOf(bench.floats(probabilities, rows * cols)),
      bitsOf(bench.floats(loss, rows)),
      bitsOf(bench.floats(correct, rows)),
    ];
    expect(read(sparse)).toEqual(read(dense));
    expect(bitsOf(bench.floats(softmax, rows * cols))).toEqual(read(sparse)[0]);

    const gradients = [bench.reserve(rows * cols), bench.reserve(rows * cols)] as const;
    const { probabilities } = sparse;
    const given = { probabilities, ...size, scale: 1 / rows };
    const sparsely = { ...given, ...plain, labels: at.labels, dlogits: gradients[0] };
    bench.run('softmaxCrossEntropySparseBackward', sparsely);
    bench.run('softmaxCrossEntropyBackward', { ...given, targets: at.targets, dlogits: gradients[1] });
    const [first, second] = gradients.map((offset) => bitsOf(bench.floats(offset, rows * cols)));
    expect(first).toEqual(second);
  });

  it('apply relu in a product like the separate kernel', () => {
    const [rows, inner, cols] = [5, 9, 21];
    const numbers = new Numbers(8);
    const a = numbers.floats(rows * inner);
    a[0] = Number.NaN;
    bench.clear();
    const shared = {
      a: bench.put(a),
      b: bench.put(numbers.floats(inner * cols)),
      bias: 0,
      rows,
      inner,
      cols,
    };
    const [fused, plain] = [bench.reserve(rows * cols), bench.reserve(rows * cols)];
    bench.run('matmul', { ...shared, out: fused, activation: 1 });
    bench.run('matmul', { ...shared, out: plain, activation: 0 });
    bench.run('reluForward', { x: plain, y: plain, n: rows * cols });
    expect(bitsOf(bench.floats(fused, rows * cols))).toEqual(bitsOf(bench.floats(plain, rows * cols)));
    expect(bench.floats(fused, 1)[0]).toBeNaN();
  });

  it.each(['randomUniform', 'randomNormal'] as const)(
    'draw the same numbers with %s, whatever their count',
    (kernel) => {
      const draw = (n: number) => {
        bench.clear();
        const out = bench.reserve(n);
        const range = kernel === 'randomUniform' ? { low: 0, high: 1 } : { mean: 0, deviation: 1 };
        bench.run(kernel, { out, n, key0: 1, key1: 2, ...range } as never);
        return bench.floats(out, n);
      };
      const all = draw(1000);
      for (const n of [1, 3, 63, 64, 65, 130]) expect(draw(n)).toEqual(all.slice(0, n));
      const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
      const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
      const [expectedMean, expectedVariance] = kernel === 'randomUniform' ? [0.5, 1 / 12] : [0, 1];
      // Four standard errors of a thousand draws.
      expect(Math.abs(mean - expectedMean)).toBeLessThan(4 * Math.sqrt(expectedVariance / 1000));
      expect(Math.abs(variance / expectedVariance - 1)).toBeLessThan(4 * Math.sqrt(2 / 1000));
    },
  );
});
