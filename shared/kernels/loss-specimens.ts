import { input, output, type Size } from './specimen.js';

const elements = ({ rows, cols }: Size) => rows * cols;
const compared = (size: Size) => ({ y: input(elements(size)), targets: input(elements(size)) });
const shape = ({ rows, cols }: Size) => ({ rows, cols });
const asked = (size: Size) => ({
  logits: input(elements(size)),
  targets: input(elements(size), 'probability'),
});

/** Calls of the kernels of losses that are not of classes. */
export const LOSS_SPECIMENS = {
  // Few enough labels for some rows to fit into the steps, and for others not to.
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
    ...asked(size),
    loss: output(size.rows),
    correct: output(size.rows),
    ...shape(size),
  }),
  binaryCrossEntropyBackward: (size: Size) => ({
    ...asked(size),
    dlogits: output(elements(size)),
    ...shape(size),
    scale: 1 / 3,
  }),
} as const;
