/*
 * Larger recurrent layers than the conformance test has: more rows than are computed together, and more units than the
 * workspace can hold, so that some weights are copied again at every step.
 */
import { describe, expect, it } from 'vitest';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

const BUILDS = buildNames();

/** Runs a gated layer forward and backward; returns the output of each step, and the error terms of the gates. */
function trainLayer(
  bench: Workbench,
  kind: 'lstm' | 'gru',
  { rows, units, steps }: { rows: number; units: number; steps: number },
  given: { z: Float32Array; weights: Float32Array; dy: Float32Array; bias: Float32Array },
): { y: Float32Array; dz: Float32Array } {
  bench.clear();
  const gates = kind === 'lstm' ? 4 : 3;
  const z = bench.put(given.z.slice(0, rows * steps * gates * units));
  const dy = bench.put(given.dy.slice(0, rows * steps * units));
  const weights = bench.put(given.weights);
  const [previous, y] = [bench.reserve(rows * steps * units), bench.reserve(rows * steps * units)];
  const walk = { rows, steps, units, sequences: 1, reverse: 0, mask: 0 };
  if (kind === 'lstm') {
    const cells = bench.reserve(rows * steps * units);
    const cell = { startCell: 0, withCell: 0, ...walk };
    bench.run('lstmForward', { z, weights, start: 0, cells, previous, y, ...cell });
    bench.run('lstmBackward', { z, weights, cells, dy, dStart: 0, dStartCell: 0, ...cell });
  } else {
    const [sums, bias] = [bench.reserve(rows * steps * 3 * units), bench.put(given.bias)];
    bench.run('gruForward', { z, weights, bias, start: 0, sums, previous, y, ...walk });
    bench.run('gruBackward', { z, weights, sums, previous, dy, dStart: 0, ...walk });
  }
  return { y: bench.floats(y, rows * steps * units), dz: bench.floats(z, rows * steps * gates * units) };
}

function draw(rows: number, units: number, steps: number) {
  const numbers = new Numbers(17);
  return {
    z: numbers.floats(rows * steps * 4 * units, 2),
    weights: numbers.floats(units * 4 * units, 0.2),
    dy: numbers.floats(rows * steps * units),
    bias: numbers.floats(3 * units),
  };
}

describe.each(BUILDS)('recurrent kernels, %s', (build) => {
  it.each(['lstm', 'gru'] as const)('%s computes each row independently of the others', async (kind) => {
    const [rows, units, steps] = [131, 9, 3];
    const bench = await Workbench.open(build);
    const given = draw(rows, units, steps);
    const all = trainLayer(bench, kind, { rows, units, steps }, given);
    const gates = kind === 'lstm' ? 4 : 3;
    for (const row of [0, 55, 56, 57, 130]) {
      const part = (values: Float32Array, width: number) =>
        values.slice(row * steps * width * units, (row + 1) * steps * width * units);
      const own = { ...given, z: part(given.z, gates), dy: part(given.dy, 1) };
      const alone = trainLayer(bench, kind, { rows: 1, units, steps }, own);
      expect(bitsOf(alone.y)).toEqual(bitsOf(part(all.y, 1)));
      expect(bitsOf(alone.dz)).toEqual(bitsOf(part(all.dz, gates)));
    }
  });

  it('lstm continues from a given state with the same bits, and padding changes nothing', async () => {
    const [rows, units, steps] = [17, 9, 5];
    const bench = await Workbench.open(build);
    const given = draw(rows, units, steps);
    const n = rows * units;
    const startCell = new Numbers(3).floats(n);
    /** Outputs at steps `from` to `to` and the last cell, of all rows; steps that are not `present` are padding. */
    const walk = (from: number, to: number, present: readonly number[], state?: Float32Array[]) => {
      bench.clear();
      const count = to - from;
      const selected = (values: Float32Array, width: number) =>
        values.filter((_, i) => {
          const step = Math.floor(i / width) % steps;
          return step >= from && step < to;
        });
      const mask = Float32Array.from({ length: rows * count }, (_, i) =>
        present.includes(from + (i % count)) ? 1 : 0,
      );
      const [y, cells, previous] = [(count + 1) * n, count * n, count * n].map((words) =>
        bench.reserve(words),
      );
      bench.run('lstmForward', {
        ...{
          z: bench.put(selected(given.z.slice(0, steps * 4 * n), 4 * units)),
          weights: bench.put(given.weights),
        },
        ...{
          mask: present.length === count ? 0 : bench.put(mask),
          y: y!,
          cells: cells!,
          previous: previous!,
        },
        ...{ start: state ? bench.put(state[0]!) : 0, startCell: bench.put(state?.[1] ?? startCell) },
        ...{ rows, steps: count, units, sequences: 1, reverse: 0, withCell: 1 },
      });
      const all = bench.floats(y!, (count + 1) * n);
      return Array.from({ length: count + 1 }, (_, place) =>
        all.filter((_, i) => Math.floor(i / units) % (count + 1) === place),
      );
    };
    const [whole, start] = [walk(0, 5, [0, 1, 2, 3, 4]), walk(0, 3, [0, 1, 2])];
    const rest = walk(3, 5, [3, 4], [start[2]!, start[3]!]);
    expect([...start.slice(0, 3), ...rest].map(bitsOf)).toEqual(whole.map(bitsOf));
    const padded = walk(0, 5, [0, 1, 2]);
    expect(padded.map(bitsOf)).toEqual([0, 1, 2, 2, 2, 3].map((place) => bitsOf(start[place]!)));
  });

  it('simpleRnn of many units equals tanh, product and sum kernels, step by step', async () => {
    const [rows, units] = [5, 601];
    const bench = await Workbench.open(build);
    const numbers = new Numbers(5);
    const n = rows * units;
    const z = numbers.floats(rows * 2 * units);
    const weights = bench.put(numbers.floats(units * units, 0.1));
    const dy = numbers.floats(rows * 2 * units);
    const step = (values: Float32Array, t: number) =>
      values.filter((_, i) => Math.floor(i / units) % 2 === t);

    const walk = { rows, steps: 2, units, sequences: 1, reverse: 0, mask: 0 };
    const [inPlace, y] = [bench.put(z), bench.reserve(2 * n)];
    bench.run('simpleRnnForward', {
      z: inPlace,
      weights,
      start: 0,
      previous: bench.reserve(2 * n),
      y,
      ...walk,
    });
    bench.run('simpleRnnBackward', { z: inPlace, weights, dy: bench.put(dy), dStart: 0, ...walk });

    const product = { rows, inner: units, cols: units };
    const [h0, h1] = [bench.put(step(z, 0)), bench.put(step(z, 1))];
    const [sums, dz0, dz1] = [bench.reserve(n), bench.put(step(dy, 0)), bench.put(step(dy, 1))];
    bench.run('tanhForward', { x: h0, y: h0, n });
    bench.run('matmul', { a: h0, b: weights, bias: 0, out: sums, ...product, activation: 0 });
    bench.run('addVectors', { out: h1, a: h1, b: sums, n });
    bench.run('tanhForward', { x: h1, y: h1, n });
    bench.run('tanhBackward', { y: h1, dy: dz1, dx: dz1, n });
    bench.run('matmulTransposedB', { a: dz1, b: weights, out: sums, ...product });
    bench.run('addVectors', { out: dz0, a: dz0, b: sums, n });
    bench.run('tanhBackward', { y: h0, dy: dz0, dx: dz0, n });

    const [outputs, errors] = [bench.floats(y, 2 * n), bench.floats(inPlace, 2 * n)];
    expect(bitsOf(step(outputs, 0))).toEqual(bitsOf(bench.floats(h0, n)));
    expect(bitsOf(step(outputs, 1))).toEqual(bitsOf(bench.floats(h1, n)));
    expect(bitsOf(step(errors, 0))).toEqual(bitsOf(bench.floats(dz0, n)));
    expect(bitsOf(step(errors, 1))).toEqual(bitsOf(bench.floats(dz1, n)));
  });
});

describe('gated layers of many units', () => {
  it.each(['lstm', 'gru'] as const)('%s has the same bits in every build', async (kind) => {
    const size = { rows: 5, units: 301, steps: 2 };
    const given = draw(size.rows, size.units, size.steps);
    const results = [];
    for (const build of BUILDS) {
      const { y, dz } = trainLayer(await Workbench.open(build), kind, size, given);
      results.push([bitsOf(y), bitsOf(dz)]);
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });
});
