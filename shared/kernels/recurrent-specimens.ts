import { input, output, type Size, updated } from './specimen.js';

/**
 * Calls of the recurrent kernels: odd `rows` walk backwards, odd `cols` have an output at each step, and if one of
 * `inner` and `cols` is odd, they have a mask, what the first step begins with, and the cell of the last. Weights, gates and
 * what it begins with are probabilities, so that whatever the other inputs are, it is not chance which side of a sigmoid
 * they end on.
 */
function sequenceOf({ rows, inner, cols }: Size) {
  const count = 1 + ((rows - 1) % 33);
  const steps = 1 + (inner % 3);
  const sequences = cols % 2;
  const full = (inner + cols) % 2;
  const walk = { rows: count, steps, units: cols, sequences, reverse: rows % 2 };
  const ifFull = <B>(buffer: B): B | 0 => (full === 1 ? buffer : 0);
  return {
    steps: count * steps * cols,
    outputs: count * cols * (sequences === 1 ? steps : 1),
    weights: (gates: number) => input(cols * cols * gates, 'probability'),
    mask: ifFull(input(count * steps, 'digit')),
    start: ifFull(input(count * cols, 'probability')),
    dStart: ifFull(output(count * cols)),
    walk,
    // Of an LSTM, whose output has a cell beside it.
    withCell: {
      outputs: count * cols * ((sequences === 1 ? steps : 1) + full),
      walk: { ...walk, withCell: full },
    },
  };
}

export const RECURRENT_SPECIMENS = {
  lstmForward: (size: Size) => {
    const { steps, weights, mask, start, withCell } = sequenceOf(size);
    const given = { weights: weights(4), mask, start, startCell: start };
    const written = { cells: output(steps), previous: output(steps), y: output(withCell.outputs) };
    return { z: updated(4 * steps), ...given, ...written, ...withCell.walk };
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
    return { z: updated(4 * steps, 'probability'), ...given, dStart, dStartCell: dStart, ...withCell.walk };
  },
  gruForward: (size: Size) => {
    const { steps, outputs, weights, mask, start, walk } = sequenceOf(size);
    const given = { weights: weights(3), bias: input(3 * size.cols, 'probability'), mask, start };
    const written = { sums: updated(3 * steps), previous: output(steps), y: output(outputs) };
    return { z: updated(3 * steps), ...given, ...written, ...walk };
  },
  gruBackward: (size: Size) => {
    const { steps, outputs, weights, mask, dStart, walk } = sequenceOf(size);
    const given = { weights: weights(3), mask, previous: input(steps), dy: input(outputs) };
    return { z: updated(3 * steps, 'probability'), sums: updated(3 * steps), ...given, dStart, ...walk };
  },
  simpleRnnForward: (size: Size) => {
    const { steps, outputs, weights, mask, start, walk } = sequenceOf(size);
    const written = { previous: output(steps), y: output(outputs) };
    return { z: updated(steps), weights: weights(1), mask, start, ...written, ...walk };
  },
  simpleRnnBackward: (size: Size) => {
    const { steps, outputs, weights, mask, dStart, walk } = sequenceOf(size);
    const given = { weights: weights(1), mask, dy: input(outputs) };
    return { z: updated(steps, 'probability'), ...given, dStart, ...walk };
  },
} as const;
