import { input, output, type Size, updated } from './test-vector.js';

/**
 * A recurrent layer. Odd `rows`: computed from the end of the sequence. Odd `cols`: an output at each step. If exactly one of
 * `inner` and `cols` is odd: with a mask, an initial output and cell, and the final cell. Weights, gates and initial values
 * are in [0, 1), so that sigmoids are not always saturated whatever the other inputs are.
 */
function sequenceOf({ rows, inner, cols }: Size) {
  const count = 1 + ((rows - 1) % 33);
  const steps = 1 + (inner % 3);
  const sequences = cols % 2;
  const hasOptional = (inner + cols) % 2;
  const args = { rows: count, steps, units: cols, sequences, reverse: rows % 2 };
  const optional = <B>(buffer: B): B | 0 => (hasOptional === 1 ? buffer : 0);
  return {
    steps: count * steps * cols,
    outputs: count * cols * (sequences === 1 ? steps : 1),
    weights: (gates: number) => input(cols * cols * gates, 'probability'),
    mask: optional(input(count * steps, 'digit')),
    start: optional(input(count * cols, 'probability')),
    dStart: optional(output(count * cols)),
    args,
    // For an LSTM, whose output may include the final cell.
    withCell: {
      outputs: count * cols * ((sequences === 1 ? steps : 1) + hasOptional),
      args: { ...args, withCell: hasOptional },
    },
  };
}

/** Test vectors of the recurrent kernels. */
export const RECURRENT_TEST_VECTORS = {
  lstmForward: (size: Size) => {
    const { steps, weights, mask, start, withCell } = sequenceOf(size);
    const given = { weights: weights(4), mask, start, startCell: start };
    const written = { cells: output(steps), previous: output(steps), y: output(withCell.outputs) };
    return { z: updated(4 * steps), ...given, ...written, ...withCell.args };
  },
  lstmBackward: (size: Size) => {
    const { steps, weights, mask, start, dStart, withCell } = sequenceOf(size);
    const given = {
      weights: weights(4),
      mask,
      startCell: start,
      cells: input(steps),
      dy: input(withCell.outputs),
    };
    return { z: updated(4 * steps, 'probability'), ...given, dStart, dStartCell: dStart, ...withCell.args };
  },
  gruForward: (size: Size) => {
    const { steps, outputs, weights, mask, start, args } = sequenceOf(size);
    const given = { weights: weights(3), bias: input(3 * size.cols, 'probability'), mask, start };
    const written = { sums: updated(3 * steps), previous: output(steps), y: output(outputs) };
    return { z: updated(3 * steps), ...given, ...written, ...args };
  },
  gruBackward: (size: Size) => {
    const { steps, outputs, weights, mask, dStart, args } = sequenceOf(size);
    const given = { weights: weights(3), mask, previous: input(steps), dy: input(outputs) };
    return { z: updated(3 * steps, 'probability'), sums: updated(3 * steps), ...given, dStart, ...args };
  },
  simpleRnnForward: (size: Size) => {
    const { steps, outputs, weights, mask, start, args } = sequenceOf(size);
    const written = { previous: output(steps), y: output(outputs) };
    return { z: updated(steps), weights: weights(1), mask, start, ...written, ...args };
  },
  simpleRnnBackward: (size: Size) => {
    const { steps, outputs, weights, mask, dStart, args } = sequenceOf(size);
    const given = { weights: weights(1), mask, dy: input(outputs) };
    return { z: updated(steps, 'probability'), ...given, dStart, ...args };
  },
} as const;
