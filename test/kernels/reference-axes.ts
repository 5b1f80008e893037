/* The kernels that rearrange elements, and orthonormal rows, in plain TypeScript and double precision. */
import { philox, type Words } from '../../shared/data/philox.js';
import { type Call, type Expected, exactly, indices, sumOf } from './expected.js';

const argumentsOf = ({ args }: Call) => args as { readonly [name: string]: number };

/** The matrix Q of the factorisation a = L Q with a positive diagonal of L, by Householder reflections. */
function orthonormal(rows: readonly number[][], length: number): number[][] {
  const a = rows.map((row) => [...row]);
  const mirrors: number[][] = [];
  const reflect = (row: number[], mirror: readonly number[]): void => {
    const twice = 2 * sumOf(row.map((x, c) => x * mirror[c]!)).sum;
    for (const c of indices(length)) row[c]! -= twice * mirror[c]!;
  };
  a.forEach((row, i) => {
    for (const mirror of mirrors) reflect(row, mirror);
    const rest = row.map((x, c) => (c < i ? 0 : x));
    rest[i]! += Math.sign(rest[i]! || 1) * Math.hypot(...rest);
    const size = Math.hypot(...rest);
    mirrors.push(rest.map((x) => x / size));
    reflect(row, mirrors[i]!);
  });
  return rows.map((_, i) => {
    const axis = indices(length).map((c) => (c === i ? Math.sign(a[i]![i]!) : 0));
    for (const mirror of [...mirrors].reverse()) reflect(axis, mirror);
    return axis;
  });
}

export const REFERENCE_AXES = {
  copyRows: (call: Call) => {
    const { rows, width, aPitch, outPitch } = argumentsOf(call);
    const [a, out] = [call.f32('a'), Array.from(call.f32('out'))];
    for (const r of indices(rows!))
      for (const c of indices(width!)) out[r * outPitch! + c] = a[r * aPitch! + c]!;
    return { out: exactly(out) };
  },
  permuteAxes: (call: Call) => {
    const args = argumentsOf(call);
    const a = call.f32('a');
    const axes = indices(5).map((k) => ({ size: args[`size${k}`]!, step: args[`step${k}`]! }));
    const out = Array.from(a, (_, at) => {
      let [rest, from] = [at, 0];
      for (const { size, step } of [...axes].reverse()) {
        from += (rest % size) * step;
        rest = Math.floor(rest / size);
      }
      return a[from]!;
    });
    return { out: exactly(out) };
  },
  repeatRows: (call: Call) => {
    const { rows, times, width } = argumentsOf(call);
    const a = call.f32('a');
    const row = (r: number) => Array.from(a.subarray(r * width!, (r + 1) * width!));
    return { out: exactly(indices(rows! * times!).flatMap((at) => row(Math.floor(at / times!)))) };
  },
  sumRepeats: (call: Call) => {
    const { rows, times, width } = argumentsOf(call);
    const a = call.f32('a');
    const sums = indices(rows! * width!).map((at) => {
      const [r, c] = [Math.floor(at / width!), at % width!];
      return sumOf(indices(times!).map((t) => a[(r * times! + t) * width! + c]!));
    });
    return {
      out: { values: sums.map(({ sum }) => sum), sizes: sums.map(({ size }) => size), ulps: times! },
    };
  },
  orthonormalRows: (call: Call) => {
    const { count, length } = argumentsOf(call);
    const rows = indices(count!).map((r) =>
      Array.from(call.f32('a').subarray(r * length!, (r + 1) * length!)),
    );
    const values = orthonormal(rows, length!).flat();
    // Rows that are nearly combinations of others amplify rounding errors: for these random rows a few hundred times.
    return { a: { values, sizes: values.map(() => 1), ulps: 2048 } };
  },
  randomTruncatedNormal: (call: Call) => {
    const { mean, deviation, n, key0, key1 } = argumentsOf(call);
    const normal = (index: number, attempt: number): number => {
      const words: Words = [Math.floor(index / 4), attempt, 0, 0];
      philox(words, key0!, key1!);
      const pair = index & 2;
      const radius = Math.sqrt(-2 * Math.log(((words[pair]! >>> 8) + 1) / 2 ** 24));
      const angle = (2 * Math.PI * (words[pair + 1]! >>> 8)) / 2 ** 24;
      return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    };
    const values = indices(n!).map((index) => {
      let attempt = 0;
      while (Math.abs(normal(index, attempt)) > 2) attempt += 1;
      return mean! + deviation! * normal(index, attempt);
    });
    return { out: { values, sizes: values.map(() => 20), ulps: 2 } };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
