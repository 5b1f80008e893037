import { about, type Call, type Expected, indices, sumOf } from './expected.js';

type Term = (y: number, t: number) => number;

/** The mean of a term over each row of y (or logits) and targets. */
function metricMeans({ args, f32 }: Call, name: string, term: Term): Expected {
  const cols = args.cols!;
  const sums = indices(args.rows!).map((r) =>
    sumOf(indices(cols).map((c) => term(f32(name)[r * cols + c]!, f32('targets')[r * cols + c]!))),
  );
  return {
    values: sums.map(({ sum }) => sum / cols),
    sizes: sums.map(({ size }) => size / cols + 1e-7),
    ulps: cols + 12,
  };
}

/** The derivative of the term of each element. */
function slopesOf({ args, f32 }: Call, name: string, slope: Term): Expected {
  const factor = Math.fround(args.scale!) / args.cols!;
  return about(
    Array.from(f32(name), (y, i) => slope(y, f32('targets')[i]!) * factor),
    { ulps: 4 },
  );
}

const huber =
  (delta: number): Term =>
  (y, t) => {
    const d = Math.abs(y - t);
    return d <= delta ? (d * d) / 2 : delta * (d - delta / 2);
  };
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

export const REFERENCE_ELEMENT_LOSSES = {
  meanAbsoluteErrorForward: (call: Call) => ({ loss: metricMeans(call, 'y', (y, t) => Math.abs(y - t)) }),
  meanAbsoluteErrorBackward: (call: Call) => ({ dy: slopesOf(call, 'y', (y, t) => Math.sign(y - t)) }),
  huberForward: (call: Call) => ({ loss: metricMeans(call, 'y', huber(Math.fround(call.args.delta!))) }),
  huberBackward: (call: Call) => {
    const delta = Math.fround(call.args.delta!);
    return { dy: slopesOf(call, 'y', (y, t) => Math.max(-delta, Math.min(delta, y - t))) };
  },
  binaryCrossEntropyForward: (call: Call) => ({
    loss: metricMeans(call, 'logits', (z, t) => Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z)))),
    correct: metricMeans(call, 'logits', (z, t) => (z > 0 === t > 0.5 ? 1 : 0)),
  }),
  binaryCrossEntropyBackward: (call: Call) => {
    const { values, ...rest } = slopesOf(call, 'logits', (z, t) => sigmoid(z) - t);
    // The rounding error of a difference is relative to its operands.
    const factor = Math.fround(call.args.scale!) / call.args.cols!;
    const sizes = Array.from(call.f32('logits'), (z, i) => (sigmoid(z) + call.f32('targets')[i]!) * factor);
    return { dlogits: { ...rest, values, sizes } };
  },
} as const;
