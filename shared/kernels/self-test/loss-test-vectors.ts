import { input, output, type Size } from './test-vector.js';

const perRow = ({ rows }: Size) => ({ loss: output(rows), correct: output(rows) });
/** With an odd number of rows labels are smoothed and class 1 is ignored; with an even number neither. */
const smoothed = ({ rows }: Size) =>
  rows % 2 === 1 ? { smoothing: 1 / 8, ignored: 1 } : { smoothing: 0, ignored: -(2 ** 31) };
const elements = ({ rows, cols }: Size) => rows * cols;
const compared = (size: Size) => ({ y: input(elements(size)), targets: input(elements(size)) });
const shape = ({ rows, cols }: Size) => ({ rows, cols });
const binary = (size: Size) => ({
  logits: input(elements(size)),
  targets: input(elements(size), 'probability'),
});

/** Test vectors of losses. */
export const LOSS_TEST_VECTORS = {
  softmaxCrossEntropySparseForward: (size: Size) => ({
    logits: input(size.rows * size.cols),
    labels: input(size.rows, 'label'),
    probabilities: output(size.rows * size.cols),
    ...perRow(size),
    counted: size.rows % 2 === 1 ? output(size.rows) : (0 as const),
    ...shape(size),
    ...smoothed(size),
  }),
  softmaxCrossEntropySparseBackward: (size: Size) => ({
    probabilities: input(size.rows * size.cols, 'probability'),
    labels: input(size.rows, 'label'),
    dlogits: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
    ...smoothed(size),
  }),
  softmaxCrossEntropyForward: (size: Size) => ({
    logits: input(size.rows * size.cols),
    targets: input(size.rows * size.cols, 'probability'),
    probabilities: output(size.rows * size.cols),
    ...perRow(size),
    ...shape(size),
  }),
  softmaxCrossEntropyBackward: (size: Size) => ({
    probabilities: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols, 'probability'),
    dlogits: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),
  crossEntropyForward: (size: Size) => ({
    p: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols, 'probability'),
    ...perRow(size),
    ...shape(size),
  }),
  crossEntropyBackward: (size: Size) => ({
    p: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols),
    dp: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),
  meanSquaredErrorForward: (size: Size) => ({
    y: input(size.rows * size.cols),
    targets: input(size.rows * size.cols),
    loss: output(size.rows),
    ...shape(size),
  }),
  meanSquaredErrorBackward: (size: Size) => ({
    y: input(size.rows * size.cols),
    targets: input(size.rows * size.cols),
    dy: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),

  // The labels of some rows fit into the steps, those of others do not.
  ctcForward: (size: Size) => {
    const [rows, steps, length] = [
      1 + ((size.rows - 1) % 9),
      1 + ((size.inner - 1) % 29),
      1 + (size.inner % 4),
    ];
    const words = rows * steps * size.cols;
    const outputs = { errors: output(words), loss: output(rows) };
    const labels = input(rows * length, 'label');
    return { logits: input(words), labels, ...outputs, rows, steps, cols: size.cols, length };
  },
  meanAbsoluteErrorForward: (size: Size) => ({ ...compared(size), loss: output(size.rows), ...shape(size) }),
  meanAbsoluteErrorBackward: (size: Size) => ({
    ...compared(size),
    dy: output(elements(size)),
    ...shape(size),
    scale: 1 / 3,
  }),
  huberForward: (size: Size) => ({ ...compared(size), loss: output(size.rows), ...shape(size), delta: 0.75 }),
  huberBackward: (size: Size) => ({
    ...compared(size),
    dy: output(elements(size)),
    ...shape(size),
    delta: 0.75,
    scale: 1 / 3,
  }),
  binaryCrossEntropyForward: (size: Size) => ({
    ...binary(size),
    loss: output(size.rows),
    correct: output(size.rows),
    ...shape(size),
  }),
  binaryCrossEntropyBackward: (size: Size) => ({
    ...binary(size),
    dlogits: output(elements(size)),
    ...shape(size),
    scale: 1 / 3,
  }),
} as const;
