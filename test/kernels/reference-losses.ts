/** Softmax and losses in plain TypeScript and double precision. */
import { about, type Call, type Expected, exactly, indices, sumOf } from './expected.js';

type Row = readonly number[];

function rowsOf({ args, f32 }: Call, name: string): Row[] {
  const cols = args.cols!;
  return indices(args.rows!).map((r) => Array.from(f32(name).subarray(r * cols, (r + 1) * cols)));
}

/** Concatenates the rows of each output. */
function stacked(ulps: number, rows: readonly { values: Row; sizes: Row }[]): Expected {
  return { values: rows.flatMap(({ values }) => values), sizes: rows.flatMap(({ sizes }) => sizes), ulps };
}

/** The error of the sum along a row, in ulps. */
const lossOf = ({ args }: Call) => args.cols! + 8;

function softmax(x: Row): { values: number[]; sizes: number[]; top: number; logSum: number } {
  const top = Math.max(...x);
  const powers = x.map((z) => (z - top <= -69 ? 0 : Math.exp(z - top)));
  const { sum } = sumOf(powers);
  const values = powers.map((e) => e / sum);
  // The rounding error of z - top is relative to it, and becomes a relative error of the exponential.
  return { values, sizes: values.map((p, i) => p * (1 + top - x[i]!)), top, logSum: Math.log(sum) };
}

const argmax = (x: Row) => x.indexOf(Math.max(...x));

function oneHot({ args, i32 }: Call): number[][] {
  return Array.from(i32('labels'), (label) => indices(args.cols!).map((c) => (c === label ? 1 : 0)));
}

/** One-hot targets with label smoothing. */
function smoothed(call: Call): number[][] {
  const smoothing = Math.fround(call.args.smoothing!);
  return oneHot(call).map((row) => row.map((t) => t * (1 - smoothing) + smoothing / row.length));
}

/** Loss and hits of softmax and cross-entropy; NaN and no hit for a row without a target. */
function crossEntropyOfLogits(call: Call, targets: Row[]): Record<string, Expected> {
  const results = rowsOf(call, 'logits').map((x, r) => {
    const { values, sizes, top, logSum } = softmax(x);
    const t = targets[r]!;
    const loss = sumOf(t.map((p, i) => p * (logSum + top - x[i]!)));
    const size = sumOf(t.map((p, i) => p * (1 + logSum + Math.abs(top - x[i]!)))).size;
    return { values, sizes, loss: loss.sum, lossSize: size, isHit: argmax(x) === argmax(t) };
  });
  return {
    probabilities: stacked(lossOf(call), results),
    loss: {
      values: results.map(({ loss }) => loss),
      sizes: results.map(({ lossSize }) => lossSize),
      ulps: lossOf(call),
    },
    correct: exactly(results.map(({ isHit }) => (isHit ? 1 : 0))),
  };
}

function crossEntropyOfLogitsBackward(call: Call, targets: Row[]): Record<string, Expected> {
  const scale = Math.fround(call.args.scale!);
  const rows = rowsOf(call, 'probabilities').map((p, r) => {
    const t = targets[r]!;
    const { sum } = sumOf(t);
    return {
      values: p.map((x, i) => (x * sum - t[i]!) * scale),
      sizes: p.map((x, i) => (x * sum + t[i]!) * scale),
    };
  });
  return { dlogits: stacked(lossOf(call), rows) };
}

/** Clips as Keras does; the bounds are floats. */
const clip = (p: number) => Math.min(Math.max(p, Math.fround(1e-7)), Math.fround(1 - 1e-7));

export const REFERENCE_LOSSES = {
  logSoftmaxForward: (call: Call) => {
    const rows = rowsOf(call, 'x').map((x) => {
      const { top, logSum } = softmax(x);
      return { values: x.map((z) => z - top - logSum), sizes: x.map((z) => top - z + 1 + logSum) };
    });
    return { y: stacked(lossOf(call), rows) };
  },
  logSoftmaxBackward: (call: Call) => {
    const dy = rowsOf(call, 'dy');
    const rows = rowsOf(call, 'y').map((y, r) => {
      const { sum, size } = sumOf(dy[r]!);
      return {
        values: y.map((z, i) => dy[r]![i]! - Math.exp(z) * sum),
        sizes: y.map((z, i) => Math.abs(dy[r]![i]!) + Math.exp(z) * size),
      };
    });
    return { dx: stacked(lossOf(call) + 2, rows) };
  },
  softmaxForward: (call: Call) => ({ y: stacked(lossOf(call), rowsOf(call, 'x').map(softmax)) }),
  softmaxBackward: (call: Call) => {
    const dy = rowsOf(call, 'dy');
    const rows = rowsOf(call, 'y').map((y, r) => {
      const { sum, size } = sumOf(y.map((p, i) => p * dy[r]![i]!));
      return {
        values: y.map((p, i) => p * (dy[r]![i]! - sum)),
        // The sum may overflow where its product with p does not.
        sizes: y.map((p, i) => (size < 2 ** 120 ? p : 1) * (Math.abs(dy[r]![i]!) + size)),
      };
    });
    return { dx: stacked(lossOf(call), rows) };
  },
  oneHot: (call: Call) => ({ out: exactly(oneHot(call).flat()) }),

  softmaxCrossEntropySparseForward: (call: Call) => {
    const { probabilities, loss, correct } = crossEntropyOfLogits(call, smoothed(call));
    const labels = Array.from(call.i32('labels'));
    const of = (r: number, x: number, otherwise: number) => {
      if (labels[r] === call.args.ignored) return 0;
      return labels[r]! < call.args.cols! ? x : otherwise;
    };
    return {
      probabilities: probabilities!,
      loss: { ...loss!, values: loss!.values.map((x, r) => of(r, x, Number.NaN)) },
      correct: { ...correct!, values: correct!.values.map((x, r) => of(r, x, 0)) },
      ...(call.args.counted !== 0 && {
        counted: exactly(labels.map((label) => (label === call.args.ignored ? 0 : 1))),
      }),
    };
  },
  softmaxCrossEntropySparseBackward: (call: Call) => {
    const scale = Math.fround(call.args.scale!);
    const targets = smoothed(call);
    const labels = call.i32('labels');
    const rows = rowsOf(call, 'probabilities').map((p, r) => {
      const factor = labels[r] === call.args.ignored ? 0 : scale;
      return {
        values: p.map((x, i) => (x - targets[r]![i]!) * factor),
        sizes: p.map((x, i) => (x + targets[r]![i]!) * factor),
      };
    });
    return { dlogits: stacked(2, rows) };
  },
  softmaxCrossEntropyForward: (call: Call) => crossEntropyOfLogits(call, rowsOf(call, 'targets')),
  softmaxCrossEntropyBackward: (call: Call) => crossEntropyOfLogitsBackward(call, rowsOf(call, 'targets')),

  crossEntropyForward: (call: Call) => {
    const targets = rowsOf(call, 'targets');
    const rows = rowsOf(call, 'p');
    const losses = rows.map((p, r) => sumOf(p.map((x, i) => -targets[r]![i]! * Math.log(clip(x)))));
    return {
      loss: {
        values: losses.map(({ sum }) => sum),
        sizes: losses.map(({ size }) => size),
        ulps: lossOf(call),
      },
      correct: exactly(rows.map((p, r) => (argmax(p) === argmax(targets[r]!) ? 1 : 0))),
    };
  },
  crossEntropyBackward: ({ args, f32 }: Call) => {
    const scale = Math.fround(args.scale!);
    const values = Array.from(f32('p'), (p, i) => (-f32('targets')[i]! / clip(p)) * scale);
    return { dp: about(values, { ulps: 2 }) };
  },

  meanSquaredErrorForward: (call: Call) => {
    const targets = rowsOf(call, 'targets');
    const losses = rowsOf(call, 'y').map((y, r) => sumOf(y.map((x, i) => (x - targets[r]![i]!) ** 2)).sum);
    return {
      loss: about(
        losses.map((sum) => sum / call.args.cols!),
        { ulps: lossOf(call) },
      ),
    };
  },
  meanSquaredErrorBackward: ({ args, f32 }: Call) => {
    const factor = (2 / args.cols!) * Math.fround(args.scale!);
    const values = Array.from(f32('y'), (y, i) => (y - f32('targets')[i]!) * factor);
    return { dy: about(values, { ulps: 3 }) };
  },
} as const;
