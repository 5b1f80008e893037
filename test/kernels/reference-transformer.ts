/** Activations, layer normalisation and embeddings in plain TypeScript and double precision. */
import { EXACT } from '../../scripts/dev/kernels/math-errors.js';
import { type Call, type Expected, exactly, indices, sumOf } from './expected.js';

interface Measured {
  readonly value: number;
  readonly size: number;
}

function expected(ulps: number, results: readonly Measured[]): Expected {
  return { values: results.map(({ value }) => value), sizes: results.map(({ size }) => size), ulps };
}

const argumentsOf = ({ args }: Call) => args as Readonly<Record<string, number>>;

/** y from x; sizes are the magnitudes to which errors are relative. */
const forward =
  (f: (x: number, slope: number) => Measured) =>
  (call: Call): Record<string, Expected> => ({
    y: expected(
      4,
      Array.from(call.f32('x'), (x) => f(x, Math.fround(call.args.slope ?? 0))),
    ),
  });
/** dx from x and dy. */
const backward =
  (f: (x: number, slope: number) => Measured) =>
  (call: Call): Record<string, Expected> => {
    const dy = call.f32('dy');
    const slopes = Array.from(call.f32('x'), (x) => f(x, Math.fround(call.args.slope ?? 0)));
    return {
      dx: expected(
        6,
        slopes.map(({ value, size }, i) => ({ value: value * dy[i]!, size: size * Math.abs(dy[i]!) })),
      ),
    };
  };

const share = (x: number) => (1 + EXACT.errorFunction(x * Math.SQRT1_2)) / 2;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** Below this magnitude, floats have fewer bits. */
const NORMAL = 2 ** -120;

/** Mean and inverse deviation of one row, and how much larger than the results the intermediate numbers are. */
function statisticsOf(x: readonly number[], epsilon: number) {
  const { sum, size } = sumOf(x);
  const mean = sum / x.length;
  const squares = sumOf(x.map((value) => (value - mean) ** 2)).sum;
  const inverse = 1 / Math.sqrt(squares / x.length + epsilon);
  const magnitude = squares > 2 ** 126 ? Number.POSITIVE_INFINITY : 1 + (size / x.length) * inverse;
  return { mean, meanSize: size / x.length, inverse, magnitude };
}

function rowsOf({ args, f32 }: Call, name: string): number[][] {
  const cols = args.cols!;
  return indices(args.rows!).map((r) => Array.from(f32(name).subarray(r * cols, (r + 1) * cols)));
}

/** The normalised values of each row, from given statistics. */
function normalised(call: Call): Measured[][] {
  const statistics = call.f32('statistics');
  return rowsOf(call, 'x').map((row, r) => {
    const [mean, inverse] = [statistics[2 * r]!, statistics[2 * r + 1]!];
    return row.map((x) => ({
      value: (x - mean) * inverse,
      size: (Math.abs(x) + Math.abs(mean)) * Math.abs(inverse),
    }));
  });
}

export const REFERENCE_TRANSFORMER = {
  geluForward: forward((x) => ({ value: x * share(x), size: Math.abs(x) })),
  geluBackward: backward((x) => ({ value: share(x) + x * density(x), size: 1 + Math.abs(x) })),
  siluForward: forward((x) => ({ value: x * sigmoid(x), size: Math.abs(x) * (sigmoid(x) + NORMAL) })),
  siluBackward: backward((x) => {
    const s = sigmoid(x);
    return { value: s * (1 + x * (1 - s)), size: (s + NORMAL) * (1 + Math.abs(x)) };
  }),
  leakyReluForward: forward((x, slope) => {
    const value = x > 0 ? x : slope * x;
    return { value, size: Math.abs(value) };
  }),
  leakyReluBackward: backward((x, slope) => ({ value: x > 0 ? 1 : slope, size: 1 })),

  layerNormalizationForward: (call: Call) => {
    const [gamma, beta] = [call.f32('gamma'), call.f32('beta')];
    const rows = rowsOf(call, 'x').map((x) => ({ x, of: statisticsOf(x, Math.fround(call.args.epsilon!)) }));
    const y = rows.flatMap(({ x, of }) =>
      x.map((value, c) => {
        const h = (value - of.mean) * of.inverse;
        const size = (1 + Math.abs(h)) * of.magnitude ** 2 * Math.abs(gamma[c]!) + Math.abs(beta[c]!);
        return { value: h * gamma[c]! + beta[c]!, size };
      }),
    );
    const statistics = rows.flatMap(({ of: { mean, meanSize, inverse, magnitude } }) => [
      { value: mean, size: meanSize },
      { value: inverse, size: inverse * magnitude ** 2 },
    ]);
    const ulps = call.args.cols! + 8;
    return { y: expected(ulps, y), statistics: expected(ulps, statistics) };
  },
  layerNormalizationBackward: (call: Call) => {
    const cols = call.args.cols!;
    const [gamma, dy, statistics] = [call.f32('gamma'), rowsOf(call, 'dy'), call.f32('statistics')];
    const dx = normalised(call).flatMap((h, r) => {
      const g = dy[r]!.map((slope, c) => slope * gamma[c]!);
      const inverse = statistics[2 * r + 1]!;
      const sum = sumOf(g);
      const product = sumOf(h.map(({ value }, c) => value * g[c]!)).sum;
      const productSize = sumOf(h.map(({ size }, c) => size * g[c]!)).size;
      return h.map(({ value, size }, c) => ({
        value: inverse * (g[c]! - sum.sum / cols - (value * product) / cols),
        size: Math.abs(inverse) * (Math.abs(g[c]!) + sum.size / cols + (size * productSize) / cols),
      }));
    });
    return { dx: expected(2 * cols + 12, dx) };
  },
  treeLayerNormalizationScale: (call: Call) => {
    const dy = rowsOf(call, 'dy');
    const h = normalised(call);
    const out = indices(call.args.cols!).map((c) => ({
      value: sumOf(h.map((row, r) => row[c]!.value * dy[r]![c]!)).sum,
      size: sumOf(h.map((row, r) => row[c]!.size * dy[r]![c]!)).size,
    }));
    return { out: expected(call.args.rows! + 4, out) };
  },

  embeddingForward: (call: Call) => {
    const { width, entries } = argumentsOf(call);
    const table = call.f32('table');
    const out = Array.from(call.f32('ids')).flatMap((id) =>
      indices(width!).map((c) => (id < entries! ? table[id * width! + c]! : 0)),
    );
    return {
      out: expected(
        0,
        out.map((value) => ({ value, size: Math.abs(value) })),
      ),
    };
  },
  treeScatterRows: (call: Call) => {
    const { width, entries, rows } = argumentsOf(call);
    const [ids, dy] = [call.f32('ids'), call.f32('dy')];
    const out = indices(entries! * width!).map((at) => {
      const [entry, c] = [Math.floor(at / width!), at % width!];
      const { sum, size } = sumOf(indices(rows!).map((r) => (ids[r] === entry ? dy[r * width! + c]! : 0)));
      return { value: sum, size };
    });
    const next = Array.from(ids, (id, r) => (id < entries! ? ids.indexOf(id, r + 1) : -1));
    return { out: expected(rows!, out), next: exactly(next, 'i32') };
  },
  addToRows: (call: Call) => {
    const b = call.f32('b');
    const sums = Array.from(call.f32('a'), (a, i) => a + b[i % b.length]!);
    return {
      out: expected(
        1,
        sums.map((value) => ({ value, size: Math.abs(value) })),
      ),
    };
  },
  addSinusoids: (call: Call) => {
    const { positions, width } = argumentsOf(call);
    const sums = Array.from(call.f32('a'), (a, at) => {
      const [p, i] = [Math.floor(at / width!) % positions!, at % width!];
      const angle = p / 10000 ** ((i - (i % 2)) / width!);
      return {
        value: a + (i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)),
        size: Math.abs(a) + 1 + 8 * angle,
      };
    });
    return { out: expected(3, sums) };
  },
} as const;
