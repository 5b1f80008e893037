import { input, output, type Size, updated } from './specimen.js';

/**
 * Calls of the recurrent kernels: odd `rows` walk backwards, odd `cols` have an output at each step. Weights and gates
 * are probabilities, so that whatever the other inputs are, it is not chance which side of a sigmoid they end on.
 */
function sequenceOf({ rows, inner, cols }: Size) {
  const count = 1 + ((rows - 1) % 33);
  const steps = 1 + (inner % 3);
  const sequences = cols % 2;
  return {
    steps: count * steps * cols,
    outputs: count * cols * (sequences === 1 ? steps : 1),
    weights: (gates: number) => input(cols * cols * gates, 'probability'),
    args: { rows: count, steps, units: cols, sequences, reverse: rows % 2 },
  };
}

export const RECURRENT_SPECIMENS = {
  lstmForward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    const written = { cells: output(steps), previous: output(steps), y: output(outputs) };
    return { z: updated(4 * steps), weights: weights(4), ...written, ...args };
  },
  lstmBackward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    const given = { weights: weights(4), cells: input(steps), dy: input(outputs) };
    return { z: updated(4 * steps, 'probability'), ...given, ...args };
  },
  gruForward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    const given = { weights: weights(3), bias: input(3 * size.cols, 'probability') };
    const written = { sums: updated(3 * steps), previous: output(steps), y: output(outputs) };
    return { z: updated(3 * steps), ...given, ...written, ...args };
  },
  gruBackward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    const given = { weights: weights(3), previous: input(steps), dy: input(outputs) };
    return { z: updated(3 * steps, 'probability'), sums: updated(3 * steps), ...given, ...args };
  },
  simpleRnnForward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    return {
      z: updated(steps),
      weights: weights(1),
      previous: output(steps),
      y: output(outputs),
      ...args,
    };
  },
  simpleRnnBackward: (size: Size) => {
    const { steps, outputs, weights, args } = sequenceOf(size);
    return { z: updated(steps, 'probability'), weights: weights(1), dy: input(outputs), ...args };
  },
} as const;
