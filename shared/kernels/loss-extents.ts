import type { KernelArguments } from './tape.js';

interface Matrix {
  readonly rows: number;
  readonly cols: number;
}
const forward = ({ rows, cols }: Matrix) => ({ y: rows * cols, targets: rows * cols, loss: rows });
const backward = ({ rows, cols }: Matrix) => ({ y: rows * cols, targets: rows * cols, dy: rows * cols });

/** How far the offsets of the kernels of losses reach that are not of classes. */
export const LOSS_EXTENTS = {
  ctcForward: ({ rows, steps, cols, length }: KernelArguments<'ctcForward'>) => {
    const outputs = rows * steps * cols;
    return { logits: outputs, labels: rows * length, errors: outputs, loss: rows };
  },
  meanAbsoluteErrorForward: forward,
  meanAbsoluteErrorBackward: backward,
  huberForward: forward,
  huberBackward: backward,
  binaryCrossEntropyForward: ({ rows, cols }: Matrix) => {
    const elements = rows * cols;
    return { logits: elements, targets: elements, loss: rows, correct: rows };
  },
  binaryCrossEntropyBackward: ({ rows, cols }: Matrix) => {
    const elements = rows * cols;
    return { logits: elements, targets: elements, dlogits: elements };
  },
} as const;
